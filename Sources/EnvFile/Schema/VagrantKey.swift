import YAML

/// A setting of a Vagrantfile: a line of Ruby such as `config.vm.box = "debian/12"`, or its path as a key of YAML.
struct VagrantKey {
    /// The last word of its path, or the kind that a call names: `box`, `forwarded_port`.
    let name: String
    let value: Node

    init(name: String, value: Node) {
        self.name = name
        self.value = value
    }

    /// nil if the key is not a path in a Vagrantfile's configuration.
    init?(path: String, value: Node) {
        let words = path.split(separator: ".").map(String.init)
        let isPlain = words.joined().utf8.allSatisfy { ScalarType.isAlphanumeric($0) || $0 == 0x5f }
        guard isPlain, Self.isPath(words), let last = words.last else { return nil }
        self.init(name: last, value: value)
    }

    /// nil if the line is not a setting in a Vagrantfile.
    init?(line: some StringProtocol, at mark: Mark) {
        let text = String(line).drop { $0 == " " || $0 == "\t" }
        let path = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
        let words = path.split(separator: ".").map(String.init)
        guard Self.isPath(words), let last = words.last else { return nil }
        let rest = text[path.endIndex...].drop { $0 == " " }
        if rest.hasPrefix("="), !rest.hasPrefix("=="), !rest.hasPrefix("=>") {
            let call = RubyCall(String(rest.dropFirst()), at: mark)
            self.init(name: last, value: call.words.first ?? Self.nothing(mark))
            return
        }
        guard Self.calls.contains(last), let start = rest.first, "\"':(".contains(start) else { return nil }
        let call = RubyCall(String(rest), at: mark)
        let first = call.words.first?.scalar ?? last
        switch last {
        case "network", "provider": self.init(name: first, value: .mapping(call.options, at: mark))
        case "synced_folder": self.init(name: last, value: .sequence(call.words, at: mark))
        case "define": self.init(name: last, value: call.words.first ?? Self.nothing(mark))
        default:
            let content = call.options.first { $0.name == "inline" || $0.name == "path" }
            self.init(name: content?.name ?? "shell", value: content?.value ?? Self.nothing(mark))
        }
    }

    private static let calls: Set<String> = ["network", "synced_folder", "provision", "provider", "define"]

    private static func nothing(_ mark: Mark) -> Node { Node(content: .scalar("", isPlain: true), mark: mark) }

    /// `config.vm.box`, `web.vm.box`, `vm.box`; in the block of a provider `vb.memory`.
    private static func isPath(_ words: [String]) -> Bool {
        guard words.count >= 2 else { return false }
        let parts = ["vm", "ssh", "winrm", "vagrant"]
        if parts.contains(words[0]) || words.count > 2 && parts.contains(words[1]) { return true }
        return words.count == 2 && ["config", "v", "vb", "lv", "libvirt", "vmware", "hv", "prl"].contains(words[0])
    }

    /// The line of a Wanderfile that says the same; nil if there is none, or the value does not say enough.
    var wanderfileLine: String? {
        // Vagrant counts it in MiB.
        if name == "memory" { return ForeignKey.size(name, unit: "MiB").line(for: value) }
        if let foreign = ForeignKey.machine[name] { return foreign.line(for: value) }
        return ObjectType.machine.key(name) == nil ? nil : ForeignKey.key(name).line(for: value)
    }

    var advice: String {
        wanderfileLine.map { "Write '\($0)'." } ?? ForeignKey.machine[name]?.advice(for: value)
            ?? "'wander schema --keys' lists what a Wanderfile has."
    }

    /// The lines of a Wanderfile for a map that is laid out as a Vagrantfile's configuration is.
    static func lines(_ value: Node) -> [String] {
        let found = (value.mapping ?? []).prefix(20).flatMap { entry -> [String] in
            if ["config", "vm", "ssh"].contains(entry.name), entry.value.mapping != nil { return lines(entry.value) }
            return VagrantKey(name: entry.name, value: entry.value).wanderfileLine.map { [$0] } ?? []
        }
        return Array(found.prefix(6))
    }
}

/// The arguments of a call in Ruby, as far as they are plain: `"forwarded_port", guest: 80, host: 8080`.
private struct RubyCall {
    private(set) var words: [Node] = []
    private(set) var options: [Node.Entry] = []

    init(_ text: String, at mark: Mark) {
        func node(_ text: some StringProtocol) -> Node {
            Node(content: .scalar(String(text), isPlain: false), mark: mark)
        }
        var rest = text[...]
        var key: String?
        while true {
            rest = rest.drop { " \t,()".contains($0) }
            guard let first = rest.first, first != "#", first != "|", first != "<", first != "[", first != "{" else {
                return
            }
            let isQuoted = first == "\"" || first == "'"
            if isQuoted || first == ":" { rest.removeFirst() }
            let word = rest.prefix { isQuoted ? $0 != first : $0 != " " && $0 != "," && $0 != ")" && $0 != ":" }
            rest = rest[word.endIndex...].dropFirst(isQuoted ? 1 : 0)
            if !isQuoted, word == "do" { return }
            let arrow = rest.drop { $0 == " " }
            if key == nil, rest.first == ":" || arrow.hasPrefix("=>") {
                key = String(word)
                rest = rest.first == ":" ? rest.dropFirst() : arrow.dropFirst(2)
            } else if let name = key {
                options.append(Node.Entry(name: name, mark: mark, value: node(word)))
                key = nil
            } else {
                words.append(node(word))
            }
            // Whatever else it is, it is not plain.
            if word.isEmpty, !isQuoted { return }
        }
    }
}
