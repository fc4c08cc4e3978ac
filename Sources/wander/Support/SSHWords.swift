import SSH

/// What people type after `wander ssh` as they would after ssh(1): a command without `-c`, or options of ssh(1).
enum SSHWords {
    /// How a command line that the parser refused is typed here.
    /// - Returns: nil if it is about something else.
    static func hint(_ arguments: [String]) -> String? {
        guard arguments.first == "ssh" else { return nil }
        var rest = arguments.dropFirst().prefix { $0 != "--" }
        var machine: [String] = []
        while let word = rest.first {
            switch word {
            // One word after '-c' is what the parser takes: something else is wrong.
            case "-c", "--command": return rest.count > 2 ? advice(machine, command: rest.dropFirst()) : nil
            case "--tty": rest = rest.dropFirst()
            case _ where CommandLineRewriter.flags.contains(word): rest = rest.dropFirst()
            case _ where CommandLineRewriter.options.contains(word): rest = rest.dropFirst(2)
            case _ where word.hasPrefix("--"): return nil
            case _ where word.hasPrefix("-"):
                return "Options of ssh(1) come after '--': \(line(["wander", "ssh"] + machine + ["--"] + rest))"
            case _ where machine.isEmpty:
                machine = [word]
                rest = rest.dropFirst()
            default: return advice(machine, command: rest)
            }
        }
        return nil
    }

    private static func advice(_ machine: [String], command: some Collection<String>) -> String {
        let words = ["wander", "ssh"] + machine + ["-c", command.joined(separator: " ")]
        return "To run a command in the machine: \(line(words))"
    }

    /// Whether words for ssh(1) ask it to carry connections (`-L`, `-R`, `-D`, `-W`), which a server may refuse.
    static func askForConnections(_ words: [String]) -> Bool {
        words.contains { word in
            guard word.hasPrefix("-"), !word.hasPrefix("--") else { return false }
            // Several letters may be in one word; the rest of it is the value of the first that takes one (ssh(1)).
            guard let letter = word.dropFirst().first(where: { "BbcDEeFIiJLlmOoPpQRSWw".contains($0) }) else {
                return false
            }
            return "DLRW".contains(letter)
        }
    }

    private static func line(_ words: [String]) -> String {
        words.map { ShellQuoting.quote($0) }.joined(separator: " ")
    }
}
