import ArgumentParser

/// A completion script, with additions for what the parser's generator does not know about wander.
enum CompletionScript {
    static func text(for shell: CompletionShell) -> String {
        let script = Wander.completionScript(for: shell)
        return switch shell {
        case .bash: bash(script)
        case .zsh: zsh(script)
        case .fish: fish(script)
        default: script
        }
    }

    private static func bash(_ script: String) -> String {
        // Names with a slash are no files: bash would show what is behind the slash alone.
        let script = insert(
            "    [[ \"${1}\" = -W ]] && compopt +o filenames 2>/dev/null\n", behind: "    local completion\n",
            in: script)
        return insert(
            beforeTheVerb, behind: "    local -a unparsed_words=(\"${COMP_WORDS[@]:1:${COMP_CWORD}}\")\n", in: script)
    }

    /// The parser of the program's own options learns those of `wander status`, which are every command's.
    private static func zsh(_ script: String) -> String {
        let status = between("\n_wander_status() {\n", "\n}\n", in: script)
        let choices = between("    local -i ret=1\n", "    local -ar arg_specs=(\n", in: status)
        let options = between("    local -ar arg_specs=(\n", "        '*:machines:", in: status)
        let begin = "    local -i ret=1\n    local -ar arg_specs=(\n"
        guard let range = script.firstRange(of: begin), !options.isEmpty else { return script }
        return script[..<range.lowerBound] + "    local -i ret=1\n\(choices)    local -ar arg_specs=(\n\(options)"
            + script[range.upperBound...]
    }

    /// The same for fish.
    private static func fish(_ script: String) -> String {
        let status = between("case 'status'\n", "\n", in: script)
        let options = between("__wander_parse_subcommand -r 1", "'all'", in: status)
        guard !options.isEmpty else { return script }
        let lines = script.split(separator: "\n").filter { $0.contains(" \"wander status\"") }
            .prefix { !$0.contains("for_positional") }
            .map { $0.replacing(" \"wander status\"", with: " \"wander\"") + "\n" }
        let root = "case 'wander'\n        __wander_parse_subcommand 0"
        return insert(String(options.dropLast()), behind: root, in: script) + "\n" + lines.joined()
    }

    /// What stands between two texts; empty if they are not there.
    private static func between(_ start: String, _ end: String, in script: String) -> String {
        guard let first = script.firstRange(of: start),
            let last = script[first.upperBound...].firstRange(of: end)
        else { return "" }
        return String(script[first.upperBound..<last.lowerBound])
    }

    /// - Parameter line: Generated, and there once.
    private static func insert(_ text: String, behind line: String, in script: String) -> String {
        guard let range = script.firstRange(of: line) else { return script }
        return script[..<range.upperBound] + text + script[range.upperBound...]
    }

    /// Options of every command may stand before the verb, and `help` takes a verb or a topic.
    private static var beforeTheVerb: String {
        let values = CommandLineRewriter.options.sorted().joined(separator: "|")
        let flags = (CommandLineRewriter.flags.union(CommandLineRewriter.options)).sorted().joined(separator: " ")
        let words = (Wander.configuration.allSubcommands.map { $0.verb } + HelpTopics.topics.map(\.name) + ["topics"])
            .joined(separator: " ")
        return """
                while [[ ${#unparsed_words[@]} -gt 1 ]]; do
                    case "${unparsed_words[0]}" in
                    \(values))
                        if [[ ${#unparsed_words[@]} -eq 2 ]]; then
                            [[ "${prev}" = -f || "${prev}" = --file ]] && COMPREPLY=($(compgen -f -- "${cur}"))
                            return
                        fi
                        unparsed_words=("${unparsed_words[@]:2}")
                        ;;
                    -*) unparsed_words=("${unparsed_words[@]:1}") ;;
                    *) break ;;
                    esac
                done
                if [[ ${#unparsed_words[@]} -eq 1 && "${cur}" = -* ]]; then
                    COMPREPLY=($(compgen -W "\(flags) --help --version" -- "${cur}"))
                    return
                fi
                if [[ "${unparsed_words[0]}" = help && ${#unparsed_words[@]} -eq 2 ]]; then
                    COMPREPLY=($(compgen -W "\(words)" -- "${cur}"))
                    return
                fi

            """
    }
}
