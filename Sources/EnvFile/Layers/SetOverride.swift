import YAML

/// A layer that is one `--set path=value` of the command line, such as `machines.web.cpus=4`.
enum SetOverride {
    /// nil if the argument cannot be read; then it has been reported.
    static func read(_ argument: String, number: Int, problems: Problems) -> Node? {
        let source = problems.add(
            SourceText(label: "--set", bytes: Array(argument.utf8), firstLine: number, isOverride: true))
        let whole = Mark(source: source, line: 1, column: 1, length: argument.count)
        guard argument.utf8.count <= 1 << 16, let equals = argument.firstIndex(of: "=") else {
            problems.report("'--set' takes PATH=VALUE", hint: "Such as '--set machines.web.cpus=4'.", at: whole)
            return nil
        }
        let path = argument[..<equals].split(separator: ".", omittingEmptySubsequences: false)
        guard path.count <= 16, !path.contains(where: \.isEmpty) else {
            problems.report("'--set' takes names with dots between them before the '='", at: whole)
            return nil
        }
        // Spaces in place of the path keep the columns of what YAML's parser has to say about the value.
        let blank = String(repeating: " ", count: path.reduce(path.count) { $0 + $1.unicodeScalars.count })
        let value = blank + argument[argument.index(after: equals)...]
        let shift = Mark(source: source, line: 1, column: blank.count + 1)
        guard let parsed = YAMLReader.read(source, bytes: Array(value.utf8), problems: problems) else {
            guard !problems.hasErrors(in: source) else { return nil }
            return nest(Node(content: .scalar("", isPlain: true), mark: shift), path[...], source: source, column: 1)
        }
        return nest(parsed, path[...], source: source, column: 1)
    }

    private static func nest(_ value: Node, _ path: ArraySlice<Substring>, source: Int, column: Int) -> Node {
        guard let name = path.first else { return value }
        let mark = Mark(source: source, line: 1, column: column, length: name.count)
        let inner = nest(value, path.dropFirst(), source: source, column: column + name.count + 1)
        return .mapping([Node.Entry(name: String(name), mark: mark, value: inner)], at: mark)
    }
}
