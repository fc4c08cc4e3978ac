import BoxFormat
import EnvFile
import Glibc
import LinuxSystem
import Provider
import Reporting
import SystemPackage

extension ProjectSelection {
    /// Reads the Wanderfile and opens the project for one command.
    func load(_ context: CommandContext, configure: (inout Project.Settings) -> Void = { _ in }) throws -> Project {
        let environment = try environment(context)
        for warning in environment.warnings { context.console.report(.warning(warning.rendered), about: nil) }
        var settings = Project.Settings(command: commandLine, programs: ProgramFolder.path)
        configure(&settings)
        return Project(
            environment, boxes: try BoxStore.standard(), settings: settings, events: context.console,
            cancellation: context.cancellation)
    }

    /// What others see who find a machine locked. Long command lines are cut.
    private var commandLine: String {
        let words = CommandLine.arguments.dropFirst().joined(separator: " ")
        return "wander " + (words.count > 120 ? String(words.prefix(117)) + "..." : words)
    }
}

/// Where wander's executables are: beside the running one.
enum ProgramFolder {
    static var path: FilePath {
        ((try? FileSystem.resolve("/proc/self/exe")) ?? "/usr/local/bin/wander").removingLastComponent()
    }
}
