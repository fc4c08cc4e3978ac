import YAML

/// Turns short forms into the long ones, so that layers merge and the decoder reads only those.
enum Normalizer {
    static func normalize(_ node: Node, as type: ValueType?) -> Node {
        switch type {
        case .object(let object, let shorthand?):
            // A list stands for a key that takes one.
            if node.sequence != nil, case .list = object.key(shorthand)?.type {
                return .mapping([Node.Entry(name: shorthand, mark: node.mark, value: node)], at: node.mark)
            }
            guard let text = node.scalar, !node.isNull else { return node }
            let key = text.utf8.contains(0x0a) ? object.linesKey ?? shorthand : shorthand
            return .mapping([Node.Entry(name: key, mark: node.mark, value: node)], at: node.mark)
        case .map(_, _, listForm: true):
            guard let items = node.sequence else { return node }
            return .mapping(
                items.compactMap { item in
                    item.scalar.map { name in
                        Node.Entry(
                            name: name, mark: item.mark,
                            value: Node(content: .scalar("", isPlain: true), mark: item.mark))
                    }
                }, at: node.mark)
        default: return node
        }
    }
}
