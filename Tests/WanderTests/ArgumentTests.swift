import Glibc
import JSON
import LinuxSystem
import SystemPackage
import Testing

@testable import wander

/// What people type who think of another tool, or of nothing: understood where it is safe, and answered in one way.
@Suite struct ArgumentTests {
    private static let commandLines: [([String], Int32)] = [
        (["logs", "-n", "-5"], 64), (["logs", "-n", "9223372036854775807"], 3),
        (["logs", "-n", "99999999999999999999"], 3),
        (["halt", "--wait", "9223372036854775807"], 0), (["halt", "--wait", "-1"], 64), (["halt", "--wait", "x"], 64),
        (["halt", "--wait", "99999999999999999999"], 0), (["package", "--wait", "9223372036854775807"], 3),
        (["net", "connect", "web", "80", "--wait", "9223372036854775807"], 1),
        (["net", "connect", "web", "70000"], 64), (["port", "web", "--guest", "70000"], 64),
        (["port", "web", "--guest", "-1"], 64), (["disk", "resize", "a.raw", "abc"], 64),
        (["disk", "resize", "a.raw", "99999999999EiB"], 64), (["status", "--set", "cpus=99999999999999999999"], 2),
        (["status", "--set", "memory=99999999999GiB"], 2),
    ]

    @Test("numbers that nobody means are refused or bounded, and never end wander", arguments: commandLines)
    func numbers(words: [String], status: Int32) throws {
        let folder = try ProjectFolder()
        try AtomicFile.write([UInt8](repeating: 7, count: 4096), to: folder.path.appending("a.raw"))
        let result = try folder.wander.run(words: words)
        #expect(result.status < 128, "\(words): \(result.error)")
        #expect(result.status == status, "\(words): \(result.error)")
    }

    @Test("mistakes on the command line look like all other errors, and are data with --json")
    func oneStyle() throws {
        for words in [["status", "--bogus"], ["nonsense"], ["help", "nonsense"], ["disk", "resize", "x"]] {
            let result = try WanderProcess().run(words: words)
            #expect(result.status == 64)
            #expect(result.error.hasPrefix("error: "), "\(words): \(result.error)")
            #expect(!result.error.contains("Error:"))
            #expect(result.error.contains("\n  -> "), "\(words): \(result.error)")
            let document = try WanderProcess().run(words: words + ["--json"])
            #expect(document.json?["error"]?["kind"] == "usage", "\(words): \(document.output)")
            #expect(document.json?["error"]?["exit"] == 64)
        }
    }

    @Test("-f of destroy and halt is --force, unless a Wanderfile follows")
    func forced() throws {
        let folder = try ProjectFolder()
        #expect(try folder.wander.run("destroy", "-f").output == "There is nothing to destroy.\n")
        #expect(try folder.wander.run("destroy", "-f", "web").output == "There is nothing to destroy.\n")
        #expect(try folder.wander.run("halt", "-f", "web").output == "web does not exist yet.\n")
        #expect(try folder.wander.run("destroy", "-f", "nowhere").error.contains("no machine 'nowhere'"))
        try AtomicFile.write("defaults: { box: tiny }\nmachines: { other: {} }\n", to: folder.path.appending("second"))
        #expect(try folder.wander.run("halt", "-f", "second").output == "other does not exist yet.\n")
        #expect(try folder.wander.run("-f", "second", "halt").output == "other does not exist yet.\n")
        #expect(try folder.wander.run("status", "-f", "second", "--names").output == "other\n")
        #expect(try folder.wander.run("-f", "second", "logs").error.contains("other does not exist yet"))
    }

    @Test("machines by a regular expression between slashes")
    func expressions() throws {
        let folder = try ProjectFolder(
            wanderfile: "defaults: { box: t }\nmachines: { web-1: {}, web-22: {}, db: {} }\n")
        func names(_ word: String) throws -> String { try folder.wander.run("status", "--names", word).output }
        #expect(try names("/web-[0-9]$/") == "web-1\n")
        #expect(try names(#"/^web-\d+$/"#) == "web-1\nweb-22\n")
        #expect(try names("/b/") == "web-1\nweb-22\ndb\n")
        #expect(try folder.wander.run("status", "/(/").status == 3)
    }

    @Test("up takes along what the named machines depend on, first, and says so")
    func dependencies() throws {
        let file = """
            defaults: { box: t }
            machines:
              web: { depends_on: [db, cache] }
              cache: { depends_on: [db], autostart: false }
              db: { autostart: false }
              lone: {}
            """
        let folder = try ProjectFolder(wanderfile: file)
        func plan(_ words: String...) throws -> [String] {
            let result = try folder.wander.run(words: ["up", "--dry-run"] + words)
            #expect(result.status == 0, "\(result.error)")
            return result.output.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
        }
        #expect(try plan("web") == ["db", "cache", "web"])
        #expect(try plan() == ["db", "cache", "web", "lone"])
        #expect(try plan("web", "--no-deps") == ["web"])
        #expect(try plan("lone") == ["lone"])
        #expect(
            try folder.wander.run("up", "--dry-run", "web").error.contains("db comes first, since web depends on it"))
    }

    @Test("help shows a verb's own options first, and those of every command by their own page")
    func help() throws {
        let page = try WanderProcess().run("package", "--help").output
        #expect(page.contains("USAGE: wander package"))
        #expect(page.contains("--thin"))
        #expect(!page.contains("--no-input") && !page.contains("--color"))
        #expect(try WanderProcess().run("ssh", "--help").output.contains("[<machine>] [-- <extra>...]"))
        #expect(page.contains("wander help options"))
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let globals = try WanderProcess().run("help", "options").output
        for name in ["--json", "--color", "--quiet", "--yes", "--file", "--set"] { #expect(globals.contains(name)) }
        #expect(try WanderProcess().run("help", "box", "add").output.contains("--checksum"))
        let manual = try WanderProcess().run("manual").output
        #expect(manual.components(of: "\\-\\-no\\-input") == 1)
        #expect(!manual.contains("names or types"))
        // Sentences are filled: only examples stand between .nf and .fi.
        let lines = manual.split(separator: "\n", omittingEmptySubsequences: false)
        var isFilled = true
        for line in lines {
            if line == ".nf" { isFilled = false }
            if line == ".fi" { isFilled = true }
            #expect(isFilled || line.count <= 130, "\(line)")
        }
    }

    @Test("outside of a project, an error names what there is elsewhere")
    func outside() throws {
        let folder = try ProjectFolder()
        try FileSystem.remove(folder.path.appending("Wanderfile"))
        let result = try folder.wander.run("status")
        #expect(result.status == 3)
        #expect(result.error.contains("wander status --all"))
    }

    @Test("one document, also where something failed after something was done")
    func oneDocument() throws {
        let folder = try ProjectFolder()
        let several = try folder.wander.run("suspend", "--json")
        #expect(several.status != 0)
        #expect(several.json?["machines"]?.arrayValue?.count == 2, "\(several.output)")
        #expect(several.json?["error"]?["exit"] == .integer(Int64(several.status)))
        let one = try folder.wander.run("suspend", "--json", "web")
        #expect(one.json?["machines"]?.arrayValue?.count == 1)
        #expect(one.json?["error"]?["kind"]?.stringValue != nil)
        #expect(try folder.wander.run("manual", "--json").json?["text"] != nil)
        #expect(try folder.wander.run("completion", "bash", "--json").json?["script"] != nil)
    }

    @Test("a port that is taken is noticed before anything is made, with who has it and what to do")
    func takenPort() throws {
        let raw = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(raw) }
        #expect(listen(raw, 1) == 0)
        let own = try FileSystem.read("/proc/net/tcp", limit: 16 << 20)
        let link = try #require(FileSystem.linkTarget(FilePath("/proc/self/fd/\(raw)")))
        let inode = String(link.dropFirst("socket:[".count).dropLast())
        let line = try #require(
            String(decoding: own, as: UTF8.self).split(separator: "\n").first { $0.contains(" \(inode) ") })
        let local = try #require(line.split(separator: " ").dropFirst().first)
        let port = try #require(local.split(separator: ":").last.flatMap { UInt16($0, radix: 16) })
        let folder = try ProjectFolder(wanderfile: "box: t/x\nports: [\"\(port):80\"]\n")
        let result = try folder.wander.run("up", "--provider", "emulation")
        #expect(result.status == 5, "\(result.error)")
        #expect(result.error.contains("port \(port)/tcp on 127.0.0.1, which default forwards, is taken by "))
        #expect(result.error.contains("(process \(currentProcessIdentifier()))"))
        #expect(result.error.contains("on_conflict: next"))
        #expect(FileSystem.isAbsent(folder.path.pushing(".wander/machines/default/record.json")))
    }

    @Test(
        "what other tools call a command is answered with the command that does it here, with the words that were typed",
        arguments: [
            ("down", "halt"), ("stop web", "halt web"), ("start", "up"), ("rm web", "destroy web"),
            ("delete", "destroy"),
            ("shell web", "ssh web"), ("exec web uptime -p", "ssh web -c 'uptime -p'"),
            ("exec -it web bash", "ssh web -c bash"), ("exec", "ssh -c COMMAND"), ("exec uptime", "ssh -c COMMAND"),
            ("ps", "status"), ("list", "status"), ("ls", "status"), ("restart db", "reload db"), ("connect", "ssh"),
            ("purge", "destroy"), ("cp a web:/tmp", "upload a web:/tmp"), ("cp web:/tmp/a .", "download web:/tmp/a ."),
            ("scp -r 'my site' web:", "upload 'my site' web:"), ("inspect web", "status web"), ("lgos", "logs"),
        ])
    func otherWords(line: String, suggestion: String) throws {
        let words =
            line == "scp -r 'my site' web:"
            ? ["scp", "-r", "my site", "web:"] : line.split(separator: " ").map(String.init)
        let mistake = try #require(UnknownVerb.find(in: words))
        let advice =
            suggestion.contains("'") ? "Did you mean: wander \(suggestion)" : "Did you mean 'wander \(suggestion)'?"
        #expect(mistake.remedy?.split(separator: "\n").first.map(String.init) == advice, "\(mistake.remedy ?? "")")
    }

    @Test(
        "commands of other tools that can mean one thing only do it",
        arguments: [
            ("ps", "status"), ("ps -a", "status"), ("ls web", "status web"), ("list --json", "status --json"),
            ("global-status", "status --all"), ("start", "up"), ("start web db", "up web db"), ("stop", "halt"),
            ("stop web", "halt web"), ("restart web", "reload web"), ("shell web", "ssh web"), ("up -d", "up"),
            ("up --detach web", "up web"), ("start -d", "up"), ("-f w up -d", "up --file w"),
            ("--json ps", "status --json"), ("exec web uptime", "ssh web -c uptime"),
            ("exec web ls -la /", "ssh web -c ls_-la_/"), ("exec web -- ls -d .", "ssh web -c ls_-d_."),
            ("exec -it web bash", "ssh web -c bash --tty"), ("exec -T web a;b", "ssh web -c a;b"),
            ("exec web echo a;b", "ssh web -c echo_'a;b'"), ("destroy -f", "destroy --force"),
            ("halt -f web", "halt --force web"), ("stop -f", "halt --force"), ("ssh web -- -d", "ssh web -- -d"),
            ("logs -f", "logs -f"), ("status -f nowhere", "status -f nowhere"), ("up web", "up web"),
            // These remove something, could mean two things, or do not say enough: they are answered only.
            ("down", "down"), ("rm web", "rm web"), ("exec", "exec"), ("exec web", "exec web"),
            ("exec -u root web id", "exec -u root web id"), ("cp a b", "cp a b"), ("box list", "box list"),
        ])
    func broughtVerbs(line: String, expected: String) {
        let words = expected.split(separator: " ").map { String($0.replacing("_", with: " ")) }
        #expect(CommandLineRewriter.rewrite(line.split(separator: " ").map(String.init)) == words)
    }

    @Test("such a command is the same as the one that it means")
    func brought() throws {
        let folder = try ProjectFolder()
        for (line, same) in [
            ("ps --names", "status --names"), ("stop web", "halt web"), ("up -d nowhere", "up nowhere"),
            ("exec nowhere true", "ssh nowhere -c true"), ("restart nowhere", "reload nowhere"),
        ] {
            let one = try folder.wander.run(words: line.split(separator: " ").map(String.init))
            let other = try folder.wander.run(words: same.split(separator: " ").map(String.init))
            #expect(one.status == other.status && one.output == other.output && one.error == other.error, "\(line)")
            #expect(one.status != 64, "\(line): \(one.error)")
        }
    }

    @Test("what is destroyed for good is not suggested without a word about it")
    func careful() {
        #expect(UnknownVerb.find(in: ["down"])?.remedy?.contains("with their disks: wander destroy") == true)
        for word in ["rm", "delete", "remove", "purge"] {
            #expect(UnknownVerb.find(in: [word])?.remedy?.contains("removes the disk") == true, "\(word)")
        }
        #expect(UnknownVerb.find(in: ["mount"])?.remedy?.contains("shares: [") == true)
    }

    @Test(
        "a command typed as after ssh(1) is answered with the line that runs it",
        arguments: [
            ("ssh web uptime", "wander ssh web -c uptime"), ("ssh web ls -la /", "wander ssh web -c 'ls -la /'"),
            ("ssh web -c uptime -p", "wander ssh web -c 'uptime -p'"),
            ("ssh -f Wanderfile web uptime", "wander ssh web -c uptime"),
            ("ssh web -L 80:localhost:80", "wander ssh web -- -L 80:localhost:80"),
            ("ssh -A", "wander ssh -- -A"), ("ssh uptime", "wander ssh -c uptime"),
        ])
    func commands(line: String, advice: String) throws {
        let folder = try ProjectFolder()
        let result = try folder.wander.run(words: line.split(separator: " ").map(String.init))
        #expect(result.status == (line == "ssh uptime" ? 3 : 64), "\(result.error)")
        #expect(result.error.contains(": \(advice)\n"), "\(result.error)")
    }

    @Test("what asks ssh(1) for connections is told from what only looks like it")
    func connections() {
        for words in [["-L", "1:h:2"], ["-NL1:h:2"], ["-N", "-D", "1080"], ["-R1:h:2"], ["-v", "-W", "h:1"]] {
            #expect(SSHWords.askForConnections(words), "\(words)")
        }
        for words in [["-o", "LogLevel=ERROR"], ["-iDLR"], ["-T", "ls"], ["-l", "me"], ["--", "L"], []] {
            #expect(!SSHWords.askForConnections(words), "\(words)")
        }
    }

    @Test("one fault among several machines is told once, and what it kept from beginning is no fault")
    func oneFault() throws {
        // Their box is in no store and no catalogue; 'web' depends on 'db'.
        let folder = try ProjectFolder()
        let result = try folder.wander.run("up", "--provider", "emulation")
        let errors = result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(errors.count == 1, "\(result.error)")
        #expect(errors.first?.hasPrefix("error: db: ") == true, "\(result.error)")
        #expect(result.error.contains("web was not begun, since db failed\n"), "\(result.error)")
        let two = try folder.wander.run("suspend")
        let lines = two.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(
            lines == [
                "error: web does not exist yet", "error: db does not exist yet", "error: 2 machines failed: web, db",
            ])
    }

    @Test("a single machine is counted as one")
    func counts() throws {
        let (one, two) = (try ProjectFolder(wanderfile: "box: a\n"), try ProjectFolder())
        #expect(try one.wander.run("validate").output.contains(": 1 machine, "))
        #expect(try two.wander.run("validate").output.contains(": 2 machines, "))
    }

    @Test("status has a header, and facts as data")
    func status() throws {
        let folder = try ProjectFolder(
            wanderfile: "defaults: { box: t }\nmachines: { web: { cpus: 3, memory: 2GiB } }\n")
        let text = try folder.wander.run("status").output
        #expect(text == "MACHINE  STATE\nweb      not created\n")
        let machine = try folder.wander.run("status", "--json").json?["machines"]?.arrayValue?.first
        #expect(machine?["cpus"] == 3)
        #expect(machine?["memoryBytes"] == 2_147_483_648)
        #expect(machine?["hostname"] == "web")
        #expect(machine?["address"] == .null)
        #expect(machine?["forwards"] == [])
    }
}

extension String {
    /// How often a text stands in it.
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
