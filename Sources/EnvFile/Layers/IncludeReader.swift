import Digest
import JSON
import LinuxSystem
import SystemPackage
import YAML

/// Reads the files that `include` names, below the file that names them.
extension LayerReader {
    /// Files of one load, and how deep they may name each other.
    static let includeLimit = 32
    static let includeDepth = 8

    /// A file on the way from the Wanderfile to the one that is read.
    struct Trail {
        /// Where the file is: an absolute path, or a URL.
        var place: String
        /// How messages name it.
        var label: String
        /// What relative paths start from; nil: the file is from a URL.
        var folder: FilePath?
    }

    /// The file `node` with everything that it includes below it, and without its `include`.
    mutating func including(_ node: Node, trail: [Trail]) -> Node {
        guard let entry = node.entry("include"), let entries = node.mapping else { return node }
        let own = Node.mapping(entries.filter { $0.name != "include" }, at: node.mark)
        guard !entry.value.isNull, let type = ObjectType.project.key("include")?.type else { return own }
        var reader = ValueReader(problems: problems, variables: Variables(host: [:]))
        guard let value = reader.read(entry.value, as: type, path: "include") else { return own }
        var result: Node?
        for item in value.list ?? [value] {
            guard let layer = layer(item, trail: trail) else { continue }
            result = result.map { NodeMerge.merge($0, with: layer, as: .object(.project)) } ?? layer
        }
        return result.map { NodeMerge.merge($0, with: own, as: .object(.project)) } ?? own
    }

    private mutating func layer(_ item: Value, trail: [Trail]) -> Node? {
        guard let named = item.text.map({ _ in item }) ?? item.record?["file"], let text = named.text else {
            return nil
        }
        let isRemote = text.contains("://")
        let digest = item.record?["digest"]
        let parent = trail[trail.count - 1]
        guard isRemote || parent.folder != nil else {
            problems.report("a file from a URL includes files from URLs only", at: named.mark)
            return nil
        }
        if isRemote, digest == nil {
            problems.report(
                "a file from a URL needs its 'digest', so that it stays the same",
                hint: "Write '{ file: \(text.prefix(200)), digest: \"sha256:...\" }': "
                    + "'curl -fsSL URL | sha256sum' gives it.", at: named.mark)
            return nil
        }
        let path = (parent.folder ?? project).pushing(expandingHome(text)).lexicallyNormalized()
        let place = isRemote ? text : path.string
        let label = isRemote ? text : displayed(path)
        if let start = trail.firstIndex(where: { $0.place == place }) {
            let circle = (trail[start...].map(\.label) + [label]).joined(separator: " -> ")
            problems.report("the files include each other in a circle: \(circle)", at: named.mark)
            return nil
        }
        if let known = included[place] { return known }
        guard trail.count <= Self.includeDepth, included.count < Self.includeLimit else {
            problems.report(
                trail.count <= Self.includeDepth
                    ? "more than \(Self.includeLimit) files are included"
                    : "files include each other more than \(Self.includeDepth) deep", at: named.mark)
            return nil
        }
        included[place] = .mapping([], at: named.mark)
        if !isRemote, FileSystem.isAbsent(path) {
            problems.report(
                "there is no file '\(text)'", hint: "It is looked for in \(path.removingLastComponent()).",
                at: named.mark)
            return nil
        }
        let bytes = isRemote ? fetched(text, digest?.text ?? "", at: named.mark) : nil
        guard !isRemote || bytes != nil,
            let node = readFile(path, label: label, as: .project, content: bytes)
        else { return nil }
        let source = node.mark.source
        if isRemote { folders[source] = project } else { check(digest, of: path, text) }
        let whole = including(
            node,
            trail: trail + [Trail(place: place, label: label, folder: isRemote ? nil : path.removingLastComponent())])
        included[place] = whole
        return whole
    }

    private func expandingHome(_ text: String) -> FilePath {
        guard text.hasPrefix("~/"), let home = options.home else { return FilePath(text) }
        return home.pushing(FilePath(String(text.dropFirst(2))))
    }

    /// Relative to the project if it is in there.
    private func displayed(_ path: FilePath) -> String {
        var rest = path
        return rest.removePrefix(project.lexicallyNormalized()) ? rest.string : path.string
    }

    private func fetched(_ url: String, _ digest: String, at mark: Mark) -> [UInt8]? {
        guard let fetch = options.fetch else {
            problems.report("this command reads no files from URLs", at: mark)
            return nil
        }
        switch fetch(url, digest) {
        case .success(let bytes): return bytes
        case .failure(let failure):
            problems.report("the file cannot be had: \(failure.reason)", hint: failure.remedy, at: mark)
            return nil
        }
    }

    private func check(_ digest: Value?, of path: FilePath, _ text: String) {
        guard let digest, let expected = digest.text,
            let bytes = try? FileSystem.read(path, limit: YAMLLimits.fileSize)
        else { return }
        let actual = SHA256Digest(of: bytes).description
        guard actual != expected else { return }
        problems.report(
            "the file '\(text)' is not the one with this digest",
            hint: "Look at what has changed, then write \(actual).", at: digest.mark)
    }
}

/// Why a file of the web is not there.
public struct IncludeFailure: Error, Equatable, Sendable {
    public var reason: String
    public var remedy: String?

    public init(reason: String, remedy: String? = nil) {
        self.reason = reason
        self.remedy = remedy
    }
}

extension ScalarType {
    /// Read before there are variables.
    static let includedFile = ScalarType(
        expected: "a path or a URL", schema: ["type": "string", "minLength": 1], interpolates: false
    ) { text in
        if text.contains("${") {
            return .problem(
                "takes no variables", hint: "Which file is included is decided before any variable has its value.")
        }
        if text.contains("://"), !text.hasPrefix("https://"), !text.hasPrefix("http://") {
            return .wrong(hint: "URLs start with https:// or http://.")
        }
        return text.isEmpty || text.utf8.count > 4096 || text.utf8.contains(0x0a) ? .wrong() : .value(.text(text))
    }
}
