import ArgumentParser
import SSH

/// Commands of other tools that mean one of wander's and can mean nothing else: they do it. What removes something, or
/// could mean two things, is only answered (``UnknownVerb``).
enum BroughtVerb {
    static let same: [String: [String]] = [
        "ps": ["status"], "ls": ["status"], "list": ["status"], "global-status": ["status", "--all"], "start": ["up"],
        "stop": ["halt"], "restart": ["reload"], "shell": ["ssh"],
    ]
    /// Options of other tools that say what wander does anyway.
    private static let usual: [String: Set<String>] = [
        "up": ["-d", "--detach"], "status": ["-a"],
    ]

    /// The command line as wander has it.
    /// - Parameter index: Where the verb is.
    static func rewrite(_ arguments: [String], verb index: Int) -> [String] {
        var words = arguments
        if arguments[index] == "exec" { return command(arguments, verb: index) ?? arguments }
        if let verb = same[arguments[index]] { words.replaceSubrange(index...index, with: verb) }
        guard let usual = usual[words[index]] else { return words }
        let end = words.firstIndex(of: "--") ?? words.endIndex
        return words.enumerated().filter { $0.offset < index || $0.offset >= end || !usual.contains($0.element) }
            .map(\.element)
    }

    /// `exec -it web ls -la` as `ssh web -c 'ls -la'`; nil if it does not say enough.
    private static func command(_ arguments: [String], verb index: Int) -> [String]? {
        let terminal: Set<String> = ["-it", "-ti", "-t", "--tty"]
        let flags = arguments.dropFirst(index + 1).prefix { $0.hasPrefix("-") && $0 != "--" }
        guard flags.allSatisfy({ terminal.contains($0) || ["-i", "-T", "--interactive"].contains($0) }),
            let machine = arguments.dropFirst(index + 1 + flags.count).first, machine != "--"
        else { return nil }
        var request = Array(arguments.dropFirst(index + 2 + flags.count))
        if request.first == "--" { request.removeFirst() }
        guard !request.isEmpty else { return nil }
        // A single word may be a whole line for the shell; several are arguments, each as it is.
        let line = request.count == 1 ? request[0] : request.map { ShellQuoting.quote($0) }.joined(separator: " ")
        let tty = flags.contains(where: terminal.contains) ? ["--tty"] : []
        return Array(arguments[..<index]) + ["ssh", machine, "-c", line] + tty
    }
}
