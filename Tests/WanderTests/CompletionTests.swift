import LinuxSystem
import SystemPackage
import Testing

/// What bash offers, asked of a real bash by the script that wander prints.
@Suite struct CompletionTests {
    private static let bash = """
        source <(wander completion bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
        COMPREPLY=(); compopt() { :; }
        _wander wander "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """

    /// `complete -C` cannot be asked for the place of a cursor that there is not.
    private static let fish = """
        wander completion fish | source
        functions --copy __wander_tokens asked
        function __wander_tokens; if contains -- -tC $argv; echo 0; else; asked $argv; end; end
        complete -C "$argv" | string replace -r '\\t.*' ''
        true
        """

    /// A zsh at a terminal, with what it would show printed as lines of their own.
    private static let zsh = """
        zmodload zsh/zpty || exit 1
        setup=$PWD/setup
        cat >$setup <<'SETUP'
        autoload -Uz compinit && compinit -u -D
        source <(wander completion zsh)
        compdef _wander wander
        PROMPT=
        bindkey '^M' undefined; bindkey '^J' undefined; bindkey '^I' complete-word
        mark() { print -r -- '<mark>' }
        leave() { exit }
        compprefuncs=(mark); comppostfuncs=(mark leave)
        compadd() {
            if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
            local -a hits; builtin compadd -A hits "$@"; local hit
            for hit in $hits; do print -r -- "<hit>$hit"; done
            builtin compadd "$@"
        }
        print -r -- '<ready>'
        SETUP
        zpty shell zsh -f -i
        zpty -w shell "source $setup"
        zpty -r shell line '*<ready>*' || exit 1
        zpty -w -n shell "$*"$'\\t'
        integer marks=0
        while zpty -r shell line; do
            line=${line%$'\\n'}; line=${line%$'\\r'}
            [[ $line == *'<mark>'* ]] && (( ++marks == 2 )) && exit 0
            [[ $line == *'<hit>'* ]] && print -r -- "${line##*<hit>}"
        done
        exit 1
        """

    /// The words that a shell offers for the last word of a line.
    private func offered(_ line: [String], by shell: String = "bash", _ folder: ProjectFolder) throws -> [String] {
        var options = folder.wander.options
        let programs = try WanderProcess.executable().removingLastComponent()
        options.environment = (options.environment ?? []).map {
            $0.hasPrefix("PATH=") ? "PATH=\(programs):\($0.dropFirst(5))" : $0
        }
        let program = try #require(findExecutable(shell), "script/packages has it")
        let words =
            switch shell {
            case "zsh": ["-f", "-c", Self.zsh, "zsh"]
            case "fish": ["-N", "-c", Self.fish]
            default: ["-c", Self.bash, "bash"]
            }
        let result = try ChildProcess.run([program] + words + line, options)
        try #require(result.outcome.isSuccess, "\(String(decoding: result.output, as: UTF8.self))")
        try #require(result.error.isEmpty, "\(String(decoding: result.error, as: UTF8.self))")
        return String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static let lines: [([String], [String])] = [
        (["wander", "ssh", ""], ["web", "db"]), (["wander", "ssh", "d"], ["db"]),
        (["wander", "halt", "db", ""], ["web"]), (["wander", "status", ""], ["web", "db"]),
        (["wander", "logs", "w"], ["web"]), (["wander", "upload", "./Wander"], ["./Wanderfile"]),
        (["wander", "provision", "--provision-with", ""], ["setup", "site"]),
        (["wander", "help", "exit"], ["exit-statuses"]), (["wander", "help", "sna"], ["snapshot"]),
        (["wander", "-f", "Wander"], ["Wanderfile"]), (["wander", "--file", "Wander"], ["Wanderfile"]),
        (["wander", "-f", "second", "ssh", ""], ["other"]), (["wander", "ssh", "-f", "second", "o"], ["other"]),
        (["wander", "destr"], ["destroy"]), (["wander", "--json", "destr"], ["destroy"]),
        (["wander", "status", "--na"], ["--names"]), (["wander", "status", "--js"], ["--json"]),
        (["wander", "snapshot", "restore", ""], []), (["wander", "init", "rocky/"], ["rocky/9", "rocky/10"]),
        (["wander", "--js"], ["--json"]),
    ]

    private func folder() throws -> ProjectFolder {
        let folder = try ProjectFolder(
            wanderfile: """
                defaults: { box: t }
                machines:
                  web: { provision: [{ name: setup, run: "true" }, { name: site, run: "true" }] }
                  db: {}
                """)
        try AtomicFile.write("defaults: { box: t }\nmachines: { other: {} }\n", to: folder.path.appending("second"))
        return folder
    }

    @Test("names that exist are offered where they belong", arguments: lines)
    func names(line: [String], expected: [String]) throws {
        #expect(try offered(line, folder()) == expected, "\(line)")
    }

    private static let elsewhere: [([String], [String])] = [
        (["wander", "ssh", ""], ["db", "web"]), (["wander", "halt", "db", ""], ["web"]),
        (["wander", "-f", "Wander"], ["Wanderfile"]), (["wander", "-f", "second", "ssh", ""], ["other"]),
        (["wander", "--json", "destr"], ["destroy"]), (["wander", "--color", ""], ["always", "auto", "never"]),
        (["wander", "-q", "--set", "x=1", "snapshot", "res"], ["restore"]), (["wander", "--js"], ["--json"]),
    ]

    @Test("so they are by other shells", .timeLimit(.minutes(15)), arguments: ["zsh", "fish"], elsewhere)
    func otherShells(shell: String, line: ([String], [String])) throws {
        #expect(try offered(line.0, by: shell, folder()).sorted() == line.1, "\(line.0)")
    }

    @Test("the scripts are such as their shells take", arguments: ["bash", "zsh", "fish"])
    func syntax(shell: String) throws {
        guard let program = findExecutable(shell) else { return }
        let text = try WanderProcess().run("completion", shell).output
        let result = try ChildProcess.run([program, "-n"], input: Array(text.utf8))
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
    }
}
