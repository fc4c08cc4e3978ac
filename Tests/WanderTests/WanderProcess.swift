import JSON
import LinuxSystem
import SystemPackage

/// Runs the executable under test as a user does.
struct WanderProcess {
    var environment: [String: String] = [:]
    var directory: FilePath?
    /// Another executable than the one that was built.
    var program: FilePath?

    struct Result {
        let status: Int32
        let output: String
        let error: String
        var json: JSONValue? { try? JSONParser.parse(output) }
    }

    /// Beside the test bundle, where the same build has put it.
    static func executable() throws -> FilePath {
        try FileSystem.resolve("/proc/self/exe").removingLastComponent().appending("wander")
    }

    func run(_ arguments: String..., input: String = "") throws -> Result { try run(words: arguments, input: input) }

    func run(words: [String], input: String = "") throws -> Result {
        let result = try ChildProcess.run(
            [(program ?? Self.executable()).string] + words, input: Array(input.utf8), options)
        return Result(
            status: result.outcome.shellStatus, output: String(decoding: result.output, as: UTF8.self),
            error: String(decoding: result.error, as: UTF8.self))
    }

    /// Runs it with its standard output going to `path`.
    func run(words: [String], output path: FilePath) throws -> Result {
        let shell = ["/bin/sh", "-c", "exec \"$0\" \"$@\" >\(path)", try Self.executable().string]
        let result = try ChildProcess.run(shell + words, options)
        return Result(
            status: result.outcome.shellStatus, output: "", error: String(decoding: result.error, as: UTF8.self))
    }

    var options: ChildProcess.Options {
        var options = ChildProcess.Options()
        options.directory = directory
        var variables = ["PATH": environmentVariable("PATH") ?? "/usr/bin:/bin", "HOME": "/nonexistent"]
        variables.merge(environment) { _, new in new }
        options.environment = variables.map { "\($0)=\($1)" }.sorted()
        return options
    }
}
