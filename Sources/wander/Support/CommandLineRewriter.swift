import ArgumentParser

/// Lets the options that every command knows stand before the verb too: `wander --json status`.
enum CommandLineRewriter {
    /// Global flags without a value, and global options with one.
    static let flags: Set<String> = [
        "--json", "--yes", "-y", "--no-input", "--quiet", "-q", "-v", "--verbose", "--debug",
    ]
    static let options: Set<String> = ["--color", "--progress", "--file", "-f", "--set"]

    static func rewrite(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var moved: [String] = []
        while let first = rest.first {
            if flags.contains(first) {
                moved.append(first)
                rest = rest.dropFirst()
            } else if options.contains(first), rest.count > 1 {
                moved += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if let name = first.split(separator: "=").first, options.contains(String(name)), first.contains("=")
            {
                moved.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        // Only when a verb follows: `wander -v` and `wander --json` alone are mistakes for the parser to explain.
        guard !moved.isEmpty, let verb = rest.first, !verb.hasPrefix("-") else { return arguments }
        // Behind the verb's own words (`box list`), which are what comes before the next flag.
        let words = rest.prefix { !$0.hasPrefix("-") }.prefix(Self.verbLength(rest))
        return Array(words) + moved + Array(rest.dropFirst(words.count))
    }

    /// How many words name the command: 2 for `box list`, 1 for `status`.
    private static func verbLength(_ words: ArraySlice<String>) -> Int {
        guard let first = words.first else { return 0 }
        let nested = Wander.configuration.allSubcommands.first { $0.verb == first }?.configuration.allSubcommands ?? []
        guard let second = words.dropFirst().first, nested.contains(where: { $0.verb == second }) else { return 1 }
        return 2
    }
}
