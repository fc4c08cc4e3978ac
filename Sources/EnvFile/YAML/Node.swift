/// A piece of YAML with its place. Scalars are text until the schema says what they are, so that `22:22`, `no`, `0755`
/// and `1.10` mean what they look like.
struct Node: Sendable {
    enum Content: Sendable {
        /// `isPlain` tells `null` from `"null"`.
        case scalar(String, isPlain: Bool)
        case sequence([Node])
        case mapping([Entry])
    }

    struct Entry: Sendable {
        var name: String
        var mark: Mark
        var value: Node
    }

    var content: Content
    var mark: Mark
    /// Nodes in this tree, this one included, every alias counted in full.
    var size: Int = 1

    /// Nothing, `~` or `null`: the key counts as not given, and removes what a lower layer gave.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        switch text {
        case "", "~", "null", "Null", "NULL": return true
        default: return false
        }
    }

    var scalar: String? { if case .scalar(let text, _) = content { text } else { nil } }
    var sequence: [Node]? { if case .sequence(let items) = content { items } else { nil } }
    var mapping: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }

    subscript(name: String) -> Node? { mapping?.first { $0.name == name }?.value }
    func entry(_ name: String) -> Entry? { mapping?.first { $0.name == name } }

    /// What it is, for messages.
    var kindName: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }

    static func mapping(_ entries: [Entry], at mark: Mark) -> Node {
        Node(content: .mapping(entries), mark: mark, size: entries.reduce(1) { $0 + $1.value.size })
    }
    static func sequence(_ items: [Node], at mark: Mark) -> Node {
        Node(content: .sequence(items), mark: mark, size: items.reduce(1) { $0 + $1.size })
    }
}
