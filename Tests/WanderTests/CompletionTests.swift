import LinuxSystem
import SystemPackage
import Testing

/// What bash offers, asked of a real bash by the script that wander prints.
@Suite struct CompletionTests {
    /// The words that bash offers for the last word of a line.
    private func offered(_ line: [String], _ folder: ProjectFolder) throws -> [String] {
        let script = """
            source <(wander completion bash)
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            COMPREPLY=(); compopt() { :; }
            _wander wander "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        var options = folder.wander.options
        let programs = try WanderProcess.executable().removingLastComponent()
        options.environment = (options.environment ?? []).map {
            $0.hasPrefix("PATH=") ? "PATH=\(programs):\($0.dropFirst(5))" : $0
        }
        let result = try ChildProcess.run(["/bin/bash", "-c", script, "bash"] + line, options)
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
        (["wander", "snapshot", "restore", ""], []), (["wander", "init", ""], []), (["wander", "--js"], ["--json"]),
    ]

    @Test("names that exist are offered where they belong", arguments: lines)
    func names(line: [String], expected: [String]) throws {
        let folder = try ProjectFolder(
            wanderfile: """
                defaults: { box: t }
                machines:
                  web: { provision: [{ name: setup, run: "true" }, { name: site, run: "true" }] }
                  db: {}
                """)
        try AtomicFile.write("defaults: { box: t }\nmachines: { other: {} }\n", to: folder.path.appending("second"))
        #expect(try offered(line, folder) == expected, "\(line)")
    }

    @Test("the scripts are such as their shells take", arguments: ["bash", "zsh", "fish"])
    func syntax(shell: String) throws {
        guard let program = findExecutable(shell) else { return }
        let text = try WanderProcess().run("completion", shell).output
        let result = try ChildProcess.run([program, "-n"], input: Array(text.utf8))
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
    }
}
