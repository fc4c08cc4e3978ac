import JSON
import RubyReader

/// Options of Ansible, and the inventory of a machine.
extension VagrantConverter {
    /// The machines that the playbook is for, as Ansible has them.
    static func limit(of step: VagrantStep) -> String? {
        step.option("limit").flatMap { $0.items?.compactMap(\.text).joined(separator: ",") ?? $0.text }
    }

    func options(_ step: VagrantStep) -> [String] {
        var words: [String] = []
        for key in ["become", "sudo"] { if case .flag(true)? = step.option(key) { words.append("--become") } }
        switch step.option("extra_vars") {
        case .table(let table)?:
            words += ["--extra-vars", ShellText.quoted(Self.json(.table(table), depth: 0).compact)]
        case let value?: if let text = value.text { words += ["--extra-vars", ShellText.quoted("@\(text)")] }
        case nil: break
        }
        for (key, option) in [("tags", "--tags"), ("skip_tags", "--skip-tags")] {
            guard let value = step.option(key) else { continue }
            let text = value.items?.compactMap(\.text).joined(separator: ",") ?? value.text ?? ""
            words += [option, ShellText.quoted(text)]
        }
        switch step.option("verbose") {
        case .flag(true)?: words.append("-v")
        case let value?:
            if let text = value.text, text.hasPrefix("v"), text.allSatisfy({ $0 == "v" }) { words.append("-\(text)") }
        case nil: break
        }
        if let raw = step.option("raw_arguments") {
            words += (raw.items?.compactMap(\.text) ?? ShellText.words(raw.text ?? "")).map(ShellText.quoted)
        }
        return words
    }

    /// The machine alone, in the groups that have it.
    func inventory(_ step: VagrantStep, _ name: String) -> [String] {
        var lines = ["\(name) ansible_connection=local"]
        guard case .table(let groups)? = step.option("groups") else { return lines }
        for (key, value) in zip(groups.keys, groups.values) {
            guard let group = key.symbolOrText else { continue }
            if group.hasSuffix(":vars"), case .table(let variables) = value {
                lines.append("[\(group)]")
                lines += zip(variables.keys, variables.values).compactMap { pair in
                    pair.0.symbolOrText.flatMap { name in pair.1.text.map { "\(name)=\($0)" } }
                }
            } else if let members = value.items?.compactMap(\.text) ?? value.text.map({ [$0] }) {
                let own = group.hasSuffix(":children") ? members : members.filter { Self.fits(name, $0) }
                lines.append("[\(group)]")
                lines += own
            }
        }
        return lines.flatMap { $0.split(separator: "\n").map(String.init) }
    }

    /// `node[1:3]` has node1, node2 and node3.
    private static func fits(_ name: String, _ pattern: String) -> Bool {
        guard let open = pattern.firstIndex(of: "["), pattern.hasSuffix("]") else { return name == pattern }
        let ends = pattern[pattern.index(after: open)...].dropLast().split(separator: ":")
        guard ends.count == 2, name.hasPrefix(pattern[..<open]), let low = Int(ends[0]), let high = Int(ends[1]),
            let number = Int(name.dropFirst(pattern[..<open].count))
        else { return false }
        return low <= number && number <= high
    }

    private static func json(_ value: RubyValue, depth: Int) -> JSONValue {
        guard depth < 16 else { return .null }
        switch value {
        case .null: return .null
        case .flag(let flag): return .bool(flag)
        case .integer(let number): return .integer(number)
        case .list(let list): return .array(list.items.map { json($0, depth: depth + 1) })
        case .table(let table):
            return .object(
                zip(table.keys, table.values).map { JSONMember($0.text ?? "", json($1, depth: depth + 1)) })
        default: return value.text.map { .string($0) } ?? .null
        }
    }
}
