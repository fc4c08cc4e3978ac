import JSON
import YAML

/// Writes machines as a Wanderfile, with the line of the other file that each value comes from.
struct WanderfileWriter {
    /// What the other file is called.
    let source: String
    private var text = ""

    init(source: String) { self.source = source }

    static func text(
        _ machines: [WanderfileMachine], network: WanderfileItem?, isSingle: Bool, source: String, notes: [String]
    ) -> String {
        var writer = WanderfileWriter(source: source)
        writer.write(machines, network, isSingle, notes)
        return writer.text
    }

    private mutating func write(
        _ machines: [WanderfileMachine], _ network: WanderfileItem?, _ isSingle: Bool, _ notes: [String]
    ) {
        line("# Made by 'wander import' from \(source), which wander does not read again.")
        for note in notes { line("# \(note)") }
        line("")
        if isSingle, machines.count == 1, network == nil || Self.isMade(network, by: machines[0]) {
            return write(keysOf: machines[0], indentation: 0)
        }
        if let network { write("networks", network, indentation: 0) }
        let (common, rest) = Self.factored(machines)
        if !common.keys.isEmpty {
            line("defaults:")
            write(keysOf: common, indentation: 2)
        }
        line("machines:")
        for machine in rest {
            line("  \(machine.name):\(machine.keys.isEmpty ? " {}" : "")\(comment(machine.line))")
            write(keysOf: machine, indentation: 4)
        }
    }

    /// Whether the network is the one that wander makes around a machine's address by itself.
    private static func isMade(_ network: WanderfileItem?, by machine: WanderfileMachine) -> Bool {
        guard case .map(let networks)? = network?.value, case .map(let settings)? = networks.first?.value,
            case .plain(let subnet)? = settings.first?.value
        else { return false }
        return subnet.hasSuffix("/24") && machine["networks"] != nil
    }

    /// What all machines have alike, and what is left of each.
    static func factored(_ machines: [WanderfileMachine]) -> (common: WanderfileMachine, rest: [WanderfileMachine]) {
        var common = WanderfileMachine(name: "", line: 0)
        var rest = machines
        guard machines.count > 1, let first = machines.first else { return (common, rest) }
        for (key, item) in first.keys where !["hostname", "primary", "networks"].contains(key) {
            if machines.allSatisfy({ $0[key] == item }) {
                common[key] = item
                for index in rest.indices { rest[index][key] = nil }
                continue
            }
            // Lists of the defaults come first, and a machine's own are added.
            guard ["shares", "files", "provision"].contains(key) else { continue }
            let lists = machines.map { $0.items(of: key) }
            let shortest = lists.map(\.count).min() ?? 0
            let shared = (0..<shortest).prefix { index in lists.allSatisfy { $0[index] == lists[0][index] } }.count
            guard shared > 0 else { continue }
            common[key] = WanderfileItem(.list(Array(lists[0].prefix(shared))), line: item.line)
            for index in rest.indices {
                let own = Array(lists[index].dropFirst(shared))
                rest[index][key] = own.first.map { WanderfileItem(.list(own), line: $0.line) }
            }
        }
        return (common, rest)
    }

    // MARK: - Values

    private mutating func line(_ content: String) { text += content + "\n" }

    private func comment(_ line: Int) -> String { line > 0 ? "  # from \(source):\(line)" : "" }

    private mutating func write(keysOf machine: WanderfileMachine, indentation: Int) {
        for key in WanderfileMachine.order {
            guard let item = machine[key] else { continue }
            write(key, item, indentation: indentation)
        }
    }

    private mutating func write(_ name: String, _ item: WanderfileItem, indentation: Int) {
        write(name, item.value, item.line, lead: String(repeating: " ", count: indentation), indentation)
    }

    private mutating func write(
        _ name: String, _ value: WanderfileValue, _ from: Int, lead: String, _ indentation: Int
    ) {
        let start = lead + YAMLText.scalar(name) + ":"
        let inner = String(repeating: " ", count: indentation + 2)
        switch value {
        case .plain, .text, .quoted, .words: line("\(start) \(Self.inline(value))\(comment(from))")
        case .body(let body):
            guard let (header, lines) = YAMLText.block(body) else {
                return line("\(start) \(Self.inline(.quoted(body)))\(comment(from))")
            }
            line("\(start) \(header)\(comment(from))")
            for content in lines { line(content.isEmpty ? "" : inner + content) }
        case .map(let members):
            guard !members.isEmpty else { return line("\(start) {}\(comment(from))") }
            line(start + comment(from))
            for member in members { write(member.name, member.value, 0, lead: inner, indentation + 2) }
        case .list(let items):
            guard !items.isEmpty else { return line("\(start) []\(comment(from))") }
            line(start)
            for item in items { write(item, indentation: indentation + 2) }
        }
    }

    private mutating func write(_ item: WanderfileItem, indentation: Int) {
        let lead = String(repeating: " ", count: indentation) + "- "
        guard case .map(let members) = item.value, let first = members.first else {
            return line(lead + Self.inline(item.value) + comment(item.line))
        }
        write(first.name, first.value, item.line, lead: lead, indentation + 2)
        let inner = String(repeating: " ", count: indentation + 2)
        for member in members.dropFirst() { write(member.name, member.value, 0, lead: inner, indentation + 2) }
    }

    /// A value on one line.
    static func inline(_ value: WanderfileValue) -> String {
        switch value {
        case .plain(let text): text
        case .text(let text): YAMLText.scalar(text)
        case .quoted(let text), .body(let text): JSONValue.string(text).compact
        case .words(let items): "[\(items.map(inline).joined(separator: ", "))]"
        case .map(let members):
            "{ \(members.map { "\(YAMLText.scalar($0.name)): \(inline($0.value))" }.joined(separator: ", ")) }"
        case .list(let items): "[\(items.map { inline($0.value) }.joined(separator: ", "))]"
        }
    }
}
