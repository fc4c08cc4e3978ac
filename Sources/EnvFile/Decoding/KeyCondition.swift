import YAML

/// A condition of a machine or a step: a variable that says yes, or one that is equal to a text or not.
///
/// It is no language: one comparison, and nothing nested.
struct KeyCondition: Sendable {
    private enum Operator: String, CaseIterable {
        case equal = "=="
        case different = "!="
    }

    /// What counts as no; everything else is yes.
    private static let no: Set<String> = ["", "0", "no", "n", "off", "false"]

    private let left: String
    private let comparison: (operator: Operator, right: String)?

    /// nil if the text is not a condition.
    init?(_ text: String) {
        var sides = [Side()]
        var found: Operator?
        var rest = text[...]
        while let first = rest.first {
            if let candidate = Operator.allCases.first(where: { rest.hasPrefix($0.rawValue) }) {
                guard found == nil else { return nil }
                found = candidate
                sides.append(Side())
                rest = rest.dropFirst(2)
            } else {
                guard let piece = sides[sides.count - 1].take(first, rest) else { return nil }
                rest = rest.dropFirst(piece)
            }
        }
        guard sides.allSatisfy(\.isValue) else { return nil }
        left = sides[0].value
        comparison = found.map { ($0, sides[1].value) }
        // A text alone is neither yes nor no: the name of a variable without '${' and '}' is what was meant.
        guard text.contains("${") || comparison == nil && ["true", "false"].contains(left) else { return nil }
    }

    /// One value, perhaps in quotes.
    private struct Side {
        private var text = ""
        /// What is in no variable and not in quotes.
        private var outside = ""
        private var quoted: String?

        /// Takes what comes next.
        /// - Returns: How many characters that was; nil if there is no end of it.
        mutating func take(_ first: Character, _ rest: Substring) -> Int? {
            if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else { return nil }
                text += rest[...end]
                return rest.distance(from: rest.startIndex, to: end) + 1
            }
            if first == "'" || first == "\"", text.allSatisfy({ $0 == " " }), quoted == nil {
                guard let end = rest.dropFirst().firstIndex(of: first) else { return nil }
                let inner = rest[rest.index(after: rest.startIndex)..<end]
                quoted = String(inner)
                return inner.count + 2
            }
            text.append(first)
            outside.append(first)
            return 1
        }

        var value: String {
            let start = text.drop { $0 == " " }
            return quoted ?? String(start.reversed().drop { $0 == " " }.reversed())
        }

        /// Whether it is one value: what looks like an operator means that more was expected of it.
        var isValue: Bool {
            guard quoted == nil else { return text.allSatisfy { $0 == " " } }
            return !outside.split(separator: " ").contains { ["and", "or", "not", "in", "is"].contains($0) }
                && !outside.contains { "&|<>!=~()".contains($0) }
        }
    }

    /// Whether it holds; nil if a variable cannot be filled in, which has then been reported. One that is not set is empty.
    func holds(_ variables: inout Variables, at mark: Mark, problems: Problems) -> Bool? {
        guard let value = variables.fill(left, at: mark, problems: problems, unsetIsEmpty: true) else { return nil }
        guard let comparison else { return !Self.no.contains(value.lowercased()) }
        guard let other = variables.fill(comparison.right, at: mark, problems: problems, unsetIsEmpty: true) else {
            return nil
        }
        return (value == other) == (comparison.operator == .equal)
    }
}

extension ScalarType {
    static let condition = ScalarType(
        expected: "a condition such as '${CI}' or '${ROLE} == db'", schema: SchemaFragment.text, interpolates: false
    ) { text in
        if KeyCondition(text) != nil { return .value(.text(text)) }
        if isVariableName(text) { return .other("\"${\(text)}\"") }
        return .wrong(hint: "One value, or two with '==' or '!=' between them; a variable is '${NAME}'.")
    }
}
