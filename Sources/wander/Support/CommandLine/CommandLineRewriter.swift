import ArgumentParser
import LinuxSystem
import SystemPackage

/// Allows the options of every command before the verb too: `wander --json status`. It also takes `destroy -f` and
/// the verbs of other tools as their users mean them.
enum CommandLineRewriter {
    /// Global flags without a value, and global options with one.
    static let flags: Set<String> = [
        "--json", "--yes", "-y", "--no-input", "--quiet", "-q", "-v", "--verbose", "--debug",
    ]
    static let options: Set<String> = ["--color", "--progress", "--file", "-f", "--set"]
    /// Verbs whose `-f` is `--force`, unless a Wanderfile follows.
    private static let forcing: Set<String> = ["destroy", "halt"]

    static func rewrite(_ arguments: [String]) -> [String] {
        let verb = arguments.indices.first { !arguments[$0].hasPrefix("-") && isVerb($0, in: arguments) }
        return moveOptions(force(verb.map { BroughtVerb.rewrite(arguments, verb: $0) } ?? arguments))
    }

    private static func moveOptions(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var moved: [String] = []
        while let first = rest.first {
            if flags.contains(first) {
                moved.append(first)
                rest = rest.dropFirst()
            } else if options.contains(first), rest.count > 1 {
                // The short form means something else after some verbs.
                moved += [first == "-f" ? "--file" : first, rest[rest.index(after: rest.startIndex)]]
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

    /// `-f` behind a verb that can be forced, where no file of that name follows: nobody names a Wanderfile that is not
    /// there, and a machine of that name is what is meant.
    private static func force(_ arguments: [String]) -> [String] {
        guard let verb = arguments.firstIndex(where: forcing.contains), isVerb(verb, in: arguments) else {
            return arguments
        }
        var arguments = arguments
        for index in arguments.indices.dropFirst(verb + 1) where arguments[index] == "-f" {
            let next = arguments.dropFirst(index + 1).first.map { FilePath($0) }
            let status = next.flatMap { (try? FileSystem.status($0)) ?? nil }
            if status == nil || status?.kind == .directory { arguments[index] = "--force" }
        }
        return arguments
    }

    /// Whether only options stand before the word.
    private static func isVerb(_ index: Int, in arguments: [String]) -> Bool {
        var rest = arguments[..<index]
        while let first = rest.first {
            let length = options.contains(first) ? 2 : 1
            guard first.hasPrefix("-"), rest.count >= length else { return false }
            rest = rest.dropFirst(length)
        }
        return true
    }

    /// How many words name the command: 2 for `box list`, 1 for `status`.
    private static func verbLength(_ words: ArraySlice<String>) -> Int {
        guard let first = words.first else { return 0 }
        let nested = Wander.configuration.allSubcommands.first { $0.verb == first }?.configuration.allSubcommands ?? []
        guard let second = words.dropFirst().first, nested.contains(where: { $0.verb == second }) else { return 1 }
        return 2
    }
}
