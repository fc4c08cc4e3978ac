import YAML

/// The one rule by which a later layer changes an earlier one.
///
/// Maps merge key by key. Items of lists that have an identity (ports by guest port and protocol, shares by their path
/// in the machine, files by path, steps, probes and networks by name) merge with the item of the same identity, and
/// others are added. An empty list, and every other list and value, replaces. Nothing (`key:` or `null`) removes.
enum NodeMerge {
    static func merge(_ base: Node, with overlay: Node, as type: ValueType?) -> Node {
        let type = type?.form(of: overlay)
        let base = Normalizer.normalize(base, as: type)
        let overlay = Normalizer.normalize(overlay, as: type)
        switch (base.content, overlay.content) {
        case (.mapping(let lower), .mapping(let upper)): return merge(lower, with: upper, as: type, at: overlay.mark)
        case (.sequence(let lower), .sequence(let upper)):
            guard case .list(let item, let identity?, _) = type, !upper.isEmpty else { return overlay }
            return merge(lower, with: upper, item: item, by: identity, at: overlay.mark)
        default: return overlay
        }
    }

    private static func merge(_ lower: [Node.Entry], with upper: [Node.Entry], as type: ValueType?, at mark: Mark)
        -> Node
    {
        var result = lower
        var indices = Dictionary(lower.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        var removed: Set<Int> = []
        for entry in upper {
            guard let index = indices[entry.name] else {
                indices[entry.name] = result.count
                result.append(entry)
                continue
            }
            if entry.value.isNull {
                removed.insert(index)
            } else {
                let value = merge(result[index].value, with: entry.value, as: valueType(of: entry.name, in: type))
                result[index] = Node.Entry(name: entry.name, mark: entry.mark, value: value)
            }
        }
        if !removed.isEmpty { result = result.enumerated().filter { !removed.contains($0.offset) }.map(\.element) }
        return .mapping(result, at: mark)
    }

    private static func valueType(of name: String, in type: ValueType?) -> ValueType? {
        switch type {
        case .object(let object, _), .either(_, let object): object.key(name)?.type
        case .map(_, let value, _): value
        case .scalar, .list, .forms, .rows, .free, nil: nil
        }
    }

    private static func merge(
        _ lower: [Node], with upper: [Node], item type: ValueType, by identity: ListIdentity, at mark: Mark
    ) -> Node {
        var result = lower
        var indices: [String: Int] = [:]
        for (index, node) in lower.enumerated() {
            if let name = name(of: node, by: identity) { indices[name] = index }
        }
        for node in upper {
            if let name = name(of: node, by: identity), let index = index(of: name, in: indices, by: identity) {
                result[index] = merge(result[index], with: node, as: type)
            } else {
                result.append(node)
            }
        }
        return .sequence(result, at: mark)
    }

    /// A place in a network without the network's name is the only one there is.
    private static func index(of name: String, in indices: [String: Int], by identity: ListIdentity) -> Int? {
        if case .network = identity, indices.count == 1, let only = indices.first, name.isEmpty || only.key.isEmpty {
            return only.value
        }
        return indices[name]
    }

    /// What identifies an item; nil: nothing, so that it is added.
    private static func name(of node: Node, by identity: ListIdentity) -> String? {
        switch identity {
        case .key(let key): return node.scalar ?? node[key]?.scalar
        case .network: return node.scalar ?? node["name"]?.scalar ?? ""
        case .share:
            if node.mapping != nil { return node["guest"]?.scalar.map(SharePath.identity) }
            return node.scalar.flatMap(ShareText.identity)
        case .port:
            if node.mapping != nil { return node["guest"]?.scalar.map { "\($0)/\(node["proto"]?.scalar ?? "tcp")" } }
            guard let text = node.scalar else { return nil }
            let parts = text.split(separator: "/", maxSplits: 1)
            guard let guest = parts.first?.split(separator: ":").last else { return nil }
            return "\(guest)/\(parts.count == 2 ? String(parts[1]) : "tcp")"
        }
    }
}
