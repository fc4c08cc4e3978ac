internal import Reporting
internal import YAML

/// Reads the YAML of an ``ImageCatalogue``: what each key means is said at the top of `Data/catalogue.yaml`.
struct ImageCatalogueReader {
    let problems: Problems

    static let keys = [
        "title", "from", "image", "checksums", "form", "version", "architecture", "user", "memory", "firmware",
        "cloud_init", "experimental", "note",
    ]

    func read(_ root: Node) -> (mirrors: [String: String], images: [CatalogueImage]) {
        var mirrors: [String: String] = [:]
        var images: [CatalogueImage] = []
        for entry in entries(of: root, called: "a catalogue") {
            switch entry.name {
            case "mirrors":
                for mirror in entries(of: entry.value, called: "'mirrors'") {
                    guard Self.isWord(mirror.name) else {
                        problems.report(
                            "'\(mirror.name.prefix(64))' is no word for a mirror",
                            hint: "Use letters, digits and '-'.", at: mirror.mark)
                        continue
                    }
                    mirrors[mirror.name] = text(mirror.value, of: mirror.name)
                }
            case "images":
                images = entries(of: entry.value, called: "'images'").compactMap(image)
            default: unknown(entry, in: "a catalogue", known: ["mirrors", "images"])
            }
        }
        return (mirrors, images)
    }

    private func image(_ entry: Node.Entry) -> CatalogueImage? {
        guard let name = try? BoxName(entry.name) else {
            problems.report(
                "'\(entry.name.prefix(64))' is not a valid box name",
                hint: "Use letters, digits and ._+~- in parts joined by '/', such as 'team/debian'.", at: entry.mark)
            return nil
        }
        let fields = entries(of: entry.value, called: "an image")
        for field in fields where !Self.keys.contains(field.name) { unknown(field, in: "an image", known: Self.keys) }
        func value(_ key: String) -> Node? { fields.first { $0.name == key }?.value }
        func required(_ key: String) -> String? {
            guard let node = value(key), !node.isNull else {
                problems.report("'\(entry.name)' lacks the key '\(key)'", at: entry.mark)
                return nil
            }
            return text(node, of: key)
        }
        func optional(_ key: String) -> String? { value(key).flatMap { $0.isNull ? nil : text($0, of: key) } }
        /// The value as what `parse` makes of it.
        func parsed<T>(_ key: String, _ expected: String, _ parse: (String) -> T?) -> T? {
            guard let node = value(key), let text = optional(key) else { return nil }
            let result = parse(text)
            if result == nil { problems.report("'\(key)' must be \(expected)", at: node.mark) }
            return result
        }
        func flag(_ key: String, standard: Bool) -> Bool {
            parsed(key, "true or false") { ["true": true, "false": false][$0] } ?? standard
        }
        let forms = ChecksumForm.allCases.map(\.rawValue).joined(separator: ", ")
        let title = required("title")
        let location = required("image")
        let checksums = required("checksums")
        _ = required("form")
        let form = parsed("form", "one of \(forms)") { ChecksumForm(rawValue: $0) }
        guard let title, let location, let checksums, let form else { return nil }
        var image = CatalogueImage(
            name: name, title: title, mirror: optional("from"), image: location, checksums: checksums, form: form)
        image.version = parsed("version", "numbers joined by dots") { BoxVersion($0) }
        image.architecture = parsed("architecture", "a name such as amd64") { try? Architecture($0) } ?? .amd64
        image.facts.user = parsed("user", "a user's name") { ImageFacts.isUser($0) ? $0 : nil }
        image.facts.smallestMemory = parsed("memory", "a size such as 512MiB") { SizeText.parse($0) }
        image.facts.firmware = parsed("firmware", "bios or uefi") { BoxFirmware(rawValue: $0) }
        image.facts.cloudInit = flag("cloud_init", standard: true)
        image.isExperimental = flag("experimental", standard: false)
        image.note = optional("note")
        return image
    }

    private func entries(of node: Node, called what: String) -> [Node.Entry] {
        guard !node.isNull else { return [] }
        guard let entries = node.mapping else {
            problems.report("\(what) must be a map, not \(node.kindName)", at: node.mark)
            return []
        }
        return entries
    }

    private func text(_ node: Node, of key: String) -> String? {
        guard let text = node.scalar, !text.isEmpty, text.utf8.count <= 2048,
            text.unicodeScalars.allSatisfy(\.isShown)
        else {
            problems.report("'\(key)' must be one line of text", at: node.mark)
            return nil
        }
        return text
    }

    private func unknown(_ entry: Node.Entry, in what: String, known: [String]) {
        let name = String(entry.name.prefix(64))
        if name.hasPrefix("x-") { return }
        problems.report(
            "unknown key '\(name)' in \(what)",
            hint: nearest(to: name, in: known).map { "Did you mean '\($0)'?" }
                ?? "Known keys: \(known.joined(separator: ", ")).", at: entry.mark)
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 32
            && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
    }
}
