/// Gathers the entries of one mapping: refuses a key that is there already, and resolves `<<` merges.
struct MappingBuilder {
    private var own: [Node.Entry] = []
    private var lines: [String: Int] = [:]
    private var merged: [(node: Node, mark: Mark)] = []

    mutating func add(_ name: String, isMerge: Bool, _ value: Node, at mark: Mark, problems: Problems) {
        if isMerge {
            merged.append((value, mark))
            return
        }
        if let first = lines.updateValue(mark.line, forKey: name) {
            lines[name] = first
            problems.report(
                "the key '\(name.prefix(64))' is repeated; it is first set on line \(first)",
                hint: "Keep one of the two.", at: mark)
            return
        }
        own.append(Node.Entry(name: name, mark: mark, value: value))
    }

    /// A mapping's own keys win over merged ones, earlier merged mappings over later ones (YAML 1.1 merge type).
    func entries(problems: Problems) -> [Node.Entry] {
        guard !merged.isEmpty else { return own }
        var result = own
        var names = Set(own.map(\.name))
        for (node, mark) in merged {
            for source in node.sequence ?? [node] {
                guard let entries = source.mapping else {
                    problems.report("'<<' takes a map or a list of maps, not \(source.kindName)", at: mark)
                    continue
                }
                for entry in entries where names.insert(entry.name).inserted { result.append(entry) }
            }
        }
        return result
    }
}
