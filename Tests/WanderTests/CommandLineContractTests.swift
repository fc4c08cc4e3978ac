import EnvFile
import JSON
import Testing

/// The command line's contract: what scripts and fingers rely on, whatever the commands do.
@Suite struct CommandLineContractTests {
    let wander = WanderProcess()

    @Test("help is a result: standard output, status 0")
    func help() throws {
        for arguments in ["--help", "-h", "help"] {
            let result = try wander.run(arguments)
            #expect(result.status == 0)
            #expect(result.output.contains("USAGE: wander"))
            #expect(result.error.isEmpty)
        }
    }

    @Test(
        "an unknown verb is a usage error that names the nearest one",
        arguments: [
            ("versoin", "wander version"), ("completoin", "wander completion"),
            ("images", "wander box list"), ("down", "wander destroy"), ("kill", "wander halt --force"),
            ("rsync", "wander upload"), ("plugin", "built in"),
        ])
    func unknownVerb(typed: String, meant: String) throws {
        let result = try wander.run(typed)
        #expect(result.status == 64)
        #expect(result.output.isEmpty)
        #expect(result.error.contains("'\(typed)' is not a wander command"))
        #expect(result.error.contains(meant))
    }

    @Test("no command stands twice in the help")
    func commandsOnce() throws {
        let lines = try wander.run("--help").output.split(separator: "\n").filter { $0.hasPrefix("  ") }
        let verbs = lines.compactMap { $0.dropFirst(2).first == " " ? nil : $0.split(separator: " ").first }
        #expect(verbs.count > 20)
        #expect(Set(verbs).count == verbs.count, "\(verbs)")
    }

    @Test("help is readable however narrow the terminal is said to be", arguments: ["0", "1", "20", "x", "100000"])
    func narrowTerminal(columns: String) throws {
        let narrow = WanderProcess(environment: ["COLUMNS": columns])
        for words in [["--help"], ["help"], ["box", "--help"], ["up", "--help"], ["up", "--no-such"]] {
            let result = try narrow.run(words: words)
            #expect(result.status == (words.last == "--no-such" ? 64 : 0), "\(words)")
        }
    }

    @Test("unknown options and missing arguments are usage errors on standard error")
    func usageErrors() throws {
        for arguments in [["version", "--no-such"], ["completion"], ["version", "surplus"], ["--no-such"]] {
            let result = try arguments.count == 2 ? wander.run(arguments[0], arguments[1]) : wander.run(arguments[0])
            #expect(result.status == 64, "\(arguments)")
            #expect(result.output.isEmpty)
            #expect(result.error.contains("error: "))
        }
    }

    @Test("--json prints one document with its schema, also before the verb")
    func json() throws {
        for arguments in [("version", "--json"), ("--json", "version")] {
            let result = try wander.run(arguments.0, arguments.1)
            #expect(result.status == 0)
            #expect(result.json?["schema"] == 1)
            #expect(result.json?["version"]?.stringValue?.isEmpty == false)
        }
    }

    @Test("--version and version agree")
    func version() throws {
        #expect(try wander.run("--version").output == wander.run("version").output)
    }

    @Test("colour only where it was asked for: the errors' stream is no terminal here")
    func color() throws {
        #expect(try !wander.run("nonsense").error.contains("\u{1b}"))
    }

    @Test("help topics", arguments: ["options", "exit-statuses", "environment", "json", "topics"])
    func topics(topic: String) throws {
        let result = try wander.run("help", topic)
        #expect(result.status == 0)
        #expect(result.output.count > 100)
    }

    @Test("help on nothing known is a usage error with a suggestion")
    func unknownTopic() throws {
        let result = try wander.run("help", "exit-status")
        #expect(result.status == 64)
        #expect(result.error.contains("wander help exit-statuses"))
    }

    @Test("completion scripts", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        let result = try wander.run("completion", shell)
        #expect(result.status == 0)
        #expect(result.output.contains("wander"))
    }

    @Test("the manual page names every visible verb")
    func manual() throws {
        let page = try wander.run("manual")
        #expect(page.status == 0)
        #expect(page.output.hasPrefix(".TH WANDER 1"))
        #expect(page.output.contains(".SS wander version"))
    }

    @Test("the manual page of the Wanderfile has every key")
    func wanderfileManual() throws {
        let page = try wander.run("manual", "Wanderfile.5")
        #expect(page.status == 0)
        #expect(page.output.hasPrefix(".TH WANDERFILE 5"))
        let lines = page.output.split(separator: "\n")
        for row in KeyReference.rows {
            let example = row.example.replacing("'", with: "\\(aq").replacing("-", with: "\\-")
                .replacing("~", with: "\\(ti")
            let isThere = lines.contains { $0.contains("\(row.name): \(example)") }
            #expect(lines.contains("\\fB\(row.name)\\fR") && isThere, "\(row.path)")
        }
        #expect(try wander.run("manual", "wander.5").status == 64)
    }
}
