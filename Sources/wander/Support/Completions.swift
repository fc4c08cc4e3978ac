import ArgumentParser
import BoxFormat
import EnvFile
import LinuxSystem
import Provider
import Reporting

/// What the shell offers for a word: names that exist here and now. Called by completion scripts; whatever goes wrong, it
/// offers nothing and says nothing.
enum Completions {
    /// Machines that are not on the command line yet.
    static let machines = CompletionKind.custom { words, _, _ in
        let known = existing(words).map(\.name)
        return known.filter { !others(words).contains($0) }
    }
    /// One machine.
    static let machine = CompletionKind.custom { words, _, _ in existing(words).map(\.name) }

    static let snapshots = CompletionKind.custom { words, _, _ in
        unique(existing(words).flatMap { ((try? $0.snapshots()) ?? []).map(\.name) })
    }

    /// Steps of the Wanderfile.
    static let provisioners = CompletionKind.custom { words, _, _ in
        unique((project(words)?.environment.machines ?? []).flatMap { $0.provision.map(\.name) })
    }

    /// Names of boxes in the store.
    static let boxes = CompletionKind.custom { _, _, _ in
        guard let store = try? BoxStore.standard(), let list = try? store.list() else { return [] }
        return unique(list.boxes.map(\.name.description))
    }

    private static func existing(_ words: [String]) -> [Machine] { (try? project(words)?.machines) ?? [] }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// What stands before the word that is completed; the last word is that one.
    private static func others(_ words: [String]) -> Set<String> { Set(words.dropLast().filter { !$0.hasPrefix("-") }) }

    /// The project that the command line names by `--file`, or the one here.
    private static func project(_ words: [String]) -> Project? {
        var file: String?
        for (index, word) in words.enumerated() {
            if word == "-f" || word == "--file" { file = words.dropFirst(index + 1).first }
            if word.hasPrefix("--file=") { file = String(word.dropFirst(7)) }
        }
        guard let environment = try? EnvironmentLoader(.current(file: file)).load(),
            let boxes = try? BoxStore.standard(), let cancellation = try? Cancellation()
        else { return nil }
        let settings = Project.Settings(command: "wander", programs: ProgramFolder.path)
        return Project(
            environment, boxes: boxes, settings: settings, events: SilentSink(), cancellation: cancellation)
    }
}

/// A completion script, with what the parser's generator does not know about wander.
enum CompletionScript {
    static func text(for shell: CompletionShell) -> String {
        var script = Wander.completionScript(for: shell)
        guard shell == .bash else { return script }
        // Names with a slash are no files: bash would show what is behind the slash alone.
        script = insert(
            "    [[ \"${1}\" = -W ]] && compopt +o filenames 2>/dev/null\n", behind: "    local completion\n",
            in: script)
        return insert(
            beforeTheVerb, behind: "    local -a unparsed_words=(\"${COMP_WORDS[@]:1:${COMP_CWORD}}\")\n", in: script)
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
