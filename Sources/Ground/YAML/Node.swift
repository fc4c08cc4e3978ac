/// A piece of YAML with its place. Scalars are text until the schema says what they are, so that `22:22`, `no`, `0755`
/// and `1.10` mean what they look like.
public struct Node: Sendable {
    public enum Content: Sendable {
        /// `isPlain` tells `null` from `"null"`.
        case scalar(String, isPlain: Bool)
        case sequence([Node])
        case mapping([Entry])
    }

    public struct Entry: Sendable {
        public var name: String
        public var mark: Mark
        public var value: Node

        public init(name: String, mark: Mark, value: Node) {
            self.name = name
            self.mark = mark
            self.value = value
        }
    }

    public var content: Content
    public var mark: Mark
    /// Nodes in this tree, this one included, every alias counted in full.
    public var size: Int = 1

    public init(content: Content, mark: Mark, size: Int = 1) {
        self.content = content
        self.mark = mark
        self.size = size
    }

    /// Nothing, `~` or `null`: the key counts as not given, and removes what a lower layer gave.
    public var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        switch text {
        case "", "~", "null", "Null", "NULL": return true
        default: return false
        }
    }

    public var scalar: String? { if case .scalar(let text, _) = content { text } else { nil } }
    public var sequence: [Node]? { if case .sequence(let items) = content { items } else { nil } }
    public var mapping: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }

    public subscript(name: String) -> Node? { mapping?.first { $0.name == name }?.value }
    public func entry(_ name: String) -> Entry? { mapping?.first { $0.name == name } }

    /// What it is, for messages.
    public var kindName: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }

    public static func mapping(_ entries: [Entry], at mark: Mark) -> Node {
        Node(content: .mapping(entries), mark: mark, size: entries.reduce(1) { $0 + $1.value.size })
    }
    public static func sequence(_ items: [Node], at mark: Mark) -> Node {
        Node(content: .sequence(items), mark: mark, size: items.reduce(1) { $0 + $1.size })
    }
}
