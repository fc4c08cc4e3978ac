import Reporting

/// A command line that the argument parser refused, in wander's own form.
struct UsageMistake: UserFacingError, Equatable {
    let summary: String
    let detail: String?
    let remedy: String?
    var kind: ErrorKind { .usage }

    /// Options that fingers bring along from elsewhere, and what there is instead.
    static let elsewhere = [
        "-d": "Machines go on in the background by themselves: leave it out.",
        "--detach": "Machines go on in the background by themselves: leave it out.",
        "--only": "Name the machines: wander up NAME",
        "--build": "A step that has changed runs by itself; all steps run with: wander up --provision",
        "--parallel": "Machines start in parallel by themselves, as far as 'depends_on' lets them: leave it out.",
        "--no-parallel": "Machines start one after the other where 'depends_on' says so in the Wanderfile.",
        "--debug-timestamp": "See 'wander help options' for --debug.",
        "--machine-readable": "Use --json: wander help json",
        "--install-provider": "Providers are built in; 'wander doctor' says what this host lacks.",
    ]

    /// - Parameters:
    ///   - message: ArgumentParser's: `Error: ...`, then maybe more, `Usage: ...` and where the help is.
    ///   - arguments: What was typed.
    init(_ message: String, _ arguments: [String] = []) {
        var lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var help: String?
        if let last = lines.lastIndex(where: { $0.hasPrefix("  See '") }) {
            help = String(lines.remove(at: last).dropFirst(2))
        }
        let first = lines.isEmpty ? "" : lines.removeFirst()
        let text = first.hasPrefix("Error: ") ? String(first.dropFirst(7)) : first
        let (sentence, option) = Self.unknownOption(text) ?? (text, nil)
        summary = Self.sentence(sentence)
        let rest = lines.map { $0.hasPrefix("Usage: ") ? "usage: " + $0.dropFirst(7) : $0 }
            .filter { !$0.allSatisfy(\.isWhitespace) }
        detail = rest.isEmpty ? nil : rest.joined(separator: "\n")
        let hint = SSHWords.hint(arguments) ?? option.flatMap { Self.elsewhere[$0] }
        remedy = [hint, help].compactMap(\.self).joined(separator: "\n")
    }

    /// The parser's sentence about an option that it does not know, and the option. A guess of its own that is not near
    /// is left out: nobody who types `--only` means `--file`.
    private static func unknownOption(_ text: String) -> (sentence: String, option: String)? {
        let prefix = "Unknown option '"
        guard text.hasPrefix(prefix), let end = text.dropFirst(prefix.count).firstIndex(of: "'") else { return nil }
        let option = String(text[text.index(text.startIndex, offsetBy: prefix.count)..<end])
        let name = String(option.prefix { $0 != "=" })
        let known = "Unknown option '\(option)'"
        guard let mark = text.firstRange(of: "Did you mean '") else { return (known, name) }
        let guess = String(text[mark.upperBound...].prefix { $0 != "'" })
        let isNear = elsewhere[name] == nil && nearest(to: name, in: [guess]) != nil
        return (isNear ? text : known, name)
    }

    /// In lower case and without a full stop, as every summary; a name in capitals stays.
    private static func sentence(_ text: String) -> String {
        var text = text
        if text.hasSuffix(".") { text.removeLast() }
        guard let first = text.first, let second = text.dropFirst().first, second.isLowercase || second == " " else {
            return text
        }
        return first.lowercased() + text.dropFirst()
    }
}
