import JSON
import YAML

/// Values that are for another program.
extension ValueReader {
    /// Nodes of one such value, aliases counted in full.
    static let freeLimit = 10_000

    /// Variables are filled in, and unquoted words and numbers are what every reader of YAML takes them for.
    mutating func readFree(_ node: Node, path: String) -> Value? {
        guard !node.isNull else { return nil }
        guard node.size <= Self.freeLimit else {
            problems.report("more than \(Self.freeLimit) values in one", at: node.mark)
            return nil
        }
        return freeValue(node, path: path).map { Value(content: .free($0), mark: node.mark) }
    }

    private mutating func freeValue(_ node: Node, path: String) -> JSONValue? {
        switch node.content {
        case .scalar(let text, let isPlain):
            origins[path] = node.mark
            guard let filled = variables.fill(text, at: node.mark, problems: problems) else { return nil }
            return isPlain ? Self.plain(filled) : .string(filled)
        case .sequence(let items):
            containers[path] = node.mark
            var values: [JSONValue] = []
            for (index, item) in items.enumerated() {
                guard let value = freeValue(item, path: "\(path)[\(index)]") else { return nil }
                values.append(value)
            }
            return .array(values)
        case .mapping(let entries):
            containers[path] = node.mark
            var members: [JSONMember] = []
            for entry in entries {
                guard let value = freeValue(entry.value, path: "\(path).\(entry.name)") else { return nil }
                members.append(JSONMember(entry.name, value))
            }
            return .object(members)
        }
    }

    /// - SeeAlso: YAML 1.1, whose words for truth Ansible reads.
    private static func plain(_ text: String) -> JSONValue {
        switch text.lowercased() {
        case "", "~", "null": return .null
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: break
        }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard let first = digits.utf8.first, (0x30...0x39).contains(first),
            digits.utf8.count <= 18, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e })
        else { return .string(text) }
        // Numbers that begin with 0 are codes more often than amounts.
        if first == 0x30, digits.utf8.count > 1, digits.utf8.dropFirst().first != 0x2e { return .string(text) }
        return Int64(text).map(JSONValue.integer) ?? Double(text).map(JSONValue.number) ?? .string(text)
    }
}

extension Record {
    /// A map of values that are for another program.
    func freeValues(_ key: String) -> [JSONMember] {
        map(key).compactMap { entry in entry.value.free.map { JSONMember(entry.name, $0) } }
    }
}
