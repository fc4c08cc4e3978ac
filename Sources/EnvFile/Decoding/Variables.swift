import YAML

/// The names that `${NAME}` may use, and the filling in.
struct Variables: Sendable {
    /// What filling in may produce during one load, in bytes: a hostile file may not multiply itself without bound.
    static let budget = 4 << 20

    /// From `vars`: defaults, below everything that is set from outside. nil: declared without one.
    var declared: [String: String?] = [:]
    /// From `--set vars.NAME=...`, above everything else.
    var overridden: [String: String] = [:]
    /// From `env_files`.
    var fromFiles: [String: String] = [:]
    /// wander's own environment.
    var host: [String: String]
    /// Names with a dot, such as `project.name`.
    var builtIn: [String: String] = [:]
    /// The row of a machine that `for_each` makes, as `each.key` and so on; nil: there is none.
    var row: [String: String]?
    private var spent = 0

    init(host: [String: String]) { self.host = host }

    func value(of name: String) -> String? {
        if name.hasPrefix("each.") { return row?[name] }
        if name.contains(".") { return builtIn[name] }
        return overridden[name] ?? host[name] ?? fromFiles[name] ?? declared[name] ?? nil
    }

    /// `text` with every `${NAME}`, `${NAME:-default}` and `${NAME:?message}` replaced, and `$$` by `$`.
    /// nil if that is not possible; then it has been reported.
    /// - Parameter unsetIsEmpty: Whether a variable that nobody sets is fine, unless it looks misspelt.
    mutating func fill(
        _ text: String, at mark: Mark, problems: Problems, unsetIsEmpty: Bool = false
    ) -> String? {
        guard text.utf8.contains(0x24) else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.utf8.firstIndex(of: 0x24) {
            result += rest[..<dollar]
            rest = rest[rest.utf8.index(after: dollar)...]
            if rest.utf8.first == 0x24 {
                result += "$"
                rest = rest[rest.utf8.index(after: rest.startIndex)...]
            } else if rest.utf8.first == 0x7b {
                guard let end = rest.utf8.firstIndex(of: 0x7d) else {
                    problems.report(
                        "'${' without '}'", hint: "Write '$$' where a dollar sign is meant.", at: mark)
                    return nil
                }
                let expression = rest[rest.utf8.index(after: rest.startIndex)..<end]
                guard let value = resolve(expression, at: mark, problems: problems, unsetIsEmpty) else { return nil }
                result += value
                rest = rest[rest.utf8.index(after: end)...]
            } else {
                result += "$"
            }
            guard spent + result.utf8.count <= Self.budget else {
                problems.report("the values grow above 4 MiB once variables are filled in", at: mark)
                return nil
            }
        }
        result += rest
        spent += result.utf8.count
        return result
    }

    private func resolve(
        _ expression: Substring, at mark: Mark, problems: Problems, _ unsetIsEmpty: Bool
    ) -> String? {
        let name = expression.prefix { $0 != ":" }
        let rest = expression.dropFirst(name.count)
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ ScalarType.isVariableName($0) }) else {
            problems.report(
                "'${\(expression.prefix(64))}' is no variable: names have letters, digits and '_'", at: mark)
            return nil
        }
        let found = value(of: String(name))
        if rest.isEmpty {
            if let found { return found }
            if unsetIsEmpty, mayBeUnset(String(name)) { return "" }
            reportUnset(String(name), at: mark, problems: problems)
            return nil
        }
        if rest.hasPrefix(":-") { return found.flatMap { $0.isEmpty ? nil : $0 } ?? String(rest.dropFirst(2)) }
        if rest.hasPrefix(":?") {
            if let found, !found.isEmpty { return found }
            let reason = rest.dropFirst(2)
            problems.report(
                "'\(name)' is not set: \(reason.isEmpty ? "it is needed here" : reason.prefix(200))", at: mark)
            return nil
        }
        problems.report(
            "'${\(expression.prefix(64))}' is not understood",
            hint: "Forms: ${NAME}, ${NAME:-default}, ${NAME:?message}.",
            at: mark)
        return nil
    }

    /// Whether a name without a value is probably no misspelt one: only what wander itself provides is known.
    private func mayBeUnset(_ name: String) -> Bool {
        if name.hasPrefix("each.") {
            return row.map { Suggestion.didYouMean(name, in: Array($0.keys)) == nil } ?? false
        }
        return !name.contains(".")
            && (declared.keys.contains(name) || Suggestion.didYouMean(name, in: candidates) == nil)
    }

    private var candidates: [String] { Set(declared.keys).union(fromFiles.keys).sorted() }

    private func reportUnset(_ name: String, at mark: Mark, problems: Problems) {
        if name.hasPrefix("each."), row == nil {
            problems.report(
                "there is no value '\(name)' here", hint: "'each' is the row of a machine with 'for_each'.", at: mark)
            return
        }
        if name.contains(".") {
            let known = (name.hasPrefix("each.") ? row ?? [:] : builtIn).keys.sorted()
            let hint = Suggestion.didYouMean(name, in: known) ?? "There is \(known.joined(separator: ", "))."
            problems.report("there is no value '\(name)' here", hint: hint, at: mark)
            return
        }
        if declared.keys.contains(name) {
            problems.report(
                "the variable '\(name)' is not set",
                hint: "'vars' declares it without a default: set it outside, or with '--set vars.\(name)=...'.",
                at: mark)
            return
        }
        let hint = Suggestion.didYouMean(name, in: candidates) ?? "Set it under 'vars', or write '${\(name):-default}'."
        problems.report("the variable '\(name)' is not set", hint: hint, at: mark)
    }
}
