import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// The commands about the Wanderfile, as users and scripts run them.
@Suite struct WanderfileCommandTests {
    let wander = WanderProcess()

    /// Runs `body` in a folder of its own, which it removes.
    private func inFolder(_ body: (FilePath) throws -> Void) throws {
        let folder = try TemporaryFolder()
        try body(folder.path)
    }

    @Test("init writes a file that validates, with the schema beside it, and overwrites only with --force")
    func initialize() throws {
        try inFolder { folder in
            let file = folder.appending("Wanderfile").string
            #expect(try wander.run("init", "tiny", "--output", file).status == 0)
            #expect(try wander.run("validate", "-f", file).output == "Wanderfile is valid: 1 machine, default\n")
            let schema = try FileSystem.read(folder.pushing(".wander/schema.json"))
            #expect(try JSONParser.parse(schema)["title"] == "Wanderfile")
            let text = try FileSystem.read(folder.appending("Wanderfile"))
            let second = try wander.run("init", "other", "--output", file)
            #expect(second.status == 10)
            #expect(second.error.contains("--force"))
            #expect(try FileSystem.read(folder.appending("Wanderfile")) == text)
            // A file of another name would leave two that commands could mean.
            #expect(try wander.run("init", "--output", folder.appending("wander.yaml").string).status == 10)
            #expect(try wander.run("init", "other", "--minimal", "--force", "--output", file).status == 0)
            let lines = String(decoding: try FileSystem.read(folder.appending("Wanderfile")), as: UTF8.self)
            #expect(lines == "# yaml-language-server: $schema=.wander/schema.json\nbox: other\n")
        }
    }

    @Test("init prints with '--output -' and then writes nothing")
    func printed() throws {
        let result = try wander.run("init", "debian/12", "--output", "-")
        #expect(result.status == 0)
        #expect(result.output.contains("\nbox: debian/12\n"))
        #expect(result.output.split(separator: "\n").count { $0.hasPrefix("#") } > 15)
    }

    @Test("validate says everything at once, exits with 2, and gives the same as data")
    func validate() throws {
        try inFolder { folder in
            let file = folder.appending("Wanderfile")
            try AtomicFile.write("box: tiny\nmemry: 4GiB\nprovision: [{ script: gone.sh }]\ncpus: 0\n", to: file)
            let result = try wander.run("validate", "-f", file.string)
            #expect(result.status == 2)
            // What was found is the result.
            #expect(result.error.isEmpty)
            #expect(result.output.contains("Wanderfile:2:1: error: unknown key 'memry' in a Wanderfile"))
            #expect(result.output.contains("Did you mean 'memory'?"))
            #expect(
                result.output.contains("Wanderfile:4:7: error: 'cpus' must be a whole number from 1 to 255, not '0'"))
            let document = try wander.run("validate", "--json", "-f", file.string)
            #expect(document.status == 2)
            #expect(document.json?["valid"] == false)
            let problems = document.json?["problems"]?.arrayValue ?? []
            #expect(problems.map { $0["line"] } == [2, 4])
            #expect(problems.first?["hint"] == "Did you mean 'memory'?")
            #expect(problems.first?["severity"] == "error")

            try AtomicFile.write("box: tiny\nprovision: [{ script: gone.sh }]\n", to: file)
            let missing = try wander.run("validate", "-f", file.string)
            #expect(missing.status == 2)
            #expect(missing.output.contains("Wanderfile:2:23: error: the script 'gone.sh' is not there"))
        }
    }

    @Test("config prints the outcome with the origin of each value")
    func config() throws {
        try inFolder { folder in
            let file = folder.appending("Wanderfile")
            try AtomicFile.write("box: tiny\ncpus: 3\n", to: file)
            let text = try wander.run("config", "--origin", "--set", "memory=3GiB", "-f", file.string)
            #expect(text.status == 0)
            #expect(text.output.contains("    cpus: 3  # Wanderfile:2:7\n"))
            #expect(text.output.contains("    memory: 3GiB  # --set:1:8\n"))
            #expect(text.output.contains("    boot_timeout: 5m  # built-in\n"))
            let json = try wander.run("config", "--json", "--origin", "-f", file.string).json
            #expect(json?["schema"] == 1)
            #expect(json?["environment"]?["machines"]?["default"]?["cpus"] == 3)
            #expect(json?["origins"]?["machines.default.cpus"] == "Wanderfile:2:7")
        }
    }

    @Test("schema prints a JSON Schema, and with --keys every key")
    func schema() throws {
        let document = try JSONParser.parse(wander.run("schema").output)
        #expect(document["$schema"] == "http://json-schema.org/draft-07/schema#")
        #expect(document["properties"]?["box"] != nil)
        #expect(try wander.run("schema", "--keys").output.contains("machines.NAME.provision[].run: "))
        #expect(try wander.run("schema", "--keys", "--json").json?["keys"]?.arrayValue?.isEmpty == false)
    }

    @Test("a file that is not there is not found; a folder without one says how to make one")
    func notFound() throws {
        let result = try wander.run("validate", "-f", "/nonexistent/Wanderfile")
        #expect(result.status == 3)
        #expect(result.error.contains("there is no file /nonexistent/Wanderfile"))
    }
}
