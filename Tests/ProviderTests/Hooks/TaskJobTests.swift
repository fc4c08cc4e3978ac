import EnvFile
import Glibc
import LinuxSystem
import Reporting
import SSH
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// Tasks as they are run. The host's shell plays the guest's.
@Suite struct TaskJobTests {
    private static let wanderfile = """
        machines: { web: { env: { WORD: of the machine, OTHER: kept }, shares: [".:/project"] } }
        tasks:
          words: { run: "printf '%s|' $0 \\"$WORD\\" \\"$OTHER\\" $WANDER_MACHINE $WANDER_TASK $# \\"$@\\"", env: { WORD: it's } }
          place: { run: pwd, dir: /usr }
          status: exit 7
          early: { run: "false; echo never" }
          other: { run: "#!/usr/bin/env -S sh -e\\necho other $1; exit 3" }
          file: { script: scripts/task.sh, as: root }
          here: { run: "echo $WANDER_TASK $WANDER_ENVIRONMENT $1 $(basename $PWD)", in: host, dir: scripts }
          local: { script: scripts/task.sh, in: host }
          lost: { script: out/task.sh }
        """

    private let life: LifeFixture

    init() throws {
        life = try LifeFixture(Self.wanderfile)
        _ = try life.folder.file("project/scripts/task.sh", Array("echo file $1\n".utf8))
    }

    private func job(_ name: String, _ arguments: [String] = []) throws -> TaskJob {
        let project = try life.project()
        return TaskJob(project, try #require(project.environment.tasks.first { $0.name == name }), arguments)
    }

    /// Runs what the guest would get.
    private func inGuest(_ name: String, _ arguments: [String] = []) throws -> (output: String, status: Int32) {
        let script = try job(name, arguments).script(in: life.machine("web"))
        let result = try ChildProcess.run(["/bin/sh", "-c", script.text, "sh"] + script.arguments)
        return (String(decoding: result.output, as: UTF8.self), result.outcome.shellStatus)
    }

    @Test("a task in a machine gets its words, the machine's environment below its own, and its folder")
    func guest() throws {
        #expect(
            try inGuest("words", ["a  b", "", "$x"]).output == "words|it's|kept|web|words|3|a  b||$x|")
        #expect(try inGuest("place").output == "/usr\n")
        #expect(try inGuest("file", ["one"]).output == "file one\n")
        #expect(try job("file").script(in: life.machine("web")).user == "root")
        #expect(try job("words").script(in: life.machine("web")).user == nil)
    }

    @Test("its status is its own, also where another interpreter runs it, and the first failure ends it")
    func statuses() throws {
        #expect(try inGuest("status").status == 7)
        #expect(try inGuest("early") == ("", 1))
        #expect(try inGuest("other", ["word"]) == ("other word\n", 3))
    }

    @Test("a task of the host runs in the project's folder, or in one in it")
    func host() throws {
        func run(_ name: String) throws -> String {
            let command = try job(name, ["word"]).hostCommand()
            var options = ChildProcess.Options()
            options.directory = command.folder
            options.environment = currentEnvironment() + command.environment.map { "\($0.key)=\($0.value)" }
            return String(decoding: try ChildProcess.run(command.words, options).output, as: UTF8.self)
        }
        #expect(try run("here") == "here project word scripts\n")
        #expect(try run("local") == "file word\n")
    }

    @Test("a script that a guest has put a link in place of is not read")
    func link() throws {
        _ = try life.folder.file("secret/task.sh", Array("echo secret\n".utf8))
        #expect(symlink(life.folder("secret").string, life.folder("project/out").string) == 0)
        #expect(throws: ShareError.self) { try job("lost").script(in: life.machine("web")) }
    }
}
