import ArgumentParser
import EnvFile
import Glibc
import JSON
import LinuxSystem
import Provider
import Reporting
import SSH
import SystemPackage

struct Run: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a task of the Wanderfile, or list them.",
        discussion: """
            wander run
            wander run test --fast
            What follows the task's name is passed on to it. Exits with the task's own status. In a machine it gets a \
            terminal where there is one.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The task. Without it, all are listed.", completion: Completions.tasks) var task: String?
    @Argument(parsing: .captureForPassthrough, help: "Arguments of the task.") var arguments: [String] = []

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        guard let task else { return list(project.environment.tasks, context) }
        guard let definition = project.environment.tasks.first(where: { $0.name == task }) else {
            throw NoSuchTask(name: task, known: project.environment.tasks.map(\.name))
        }
        let job = TaskJob(project, definition, arguments)
        if definition.place == .host { throw try replaceProcess(by: job) }
        throw ExitCode(try run(job, in: project.machine(named: definition.machine)))
    }

    private func list(_ tasks: [TaskDefinition], _ context: CommandContext) {
        var table = TextTable()
        for task in tasks {
            let place = task.place == .host ? "on the host" : "in \(task.machine ?? "the primary machine")"
            table.add([task.name, task.summary ?? "", place])
        }
        context.output(
            tasks.isEmpty ? "The Wanderfile has no 'tasks'." : table.rendered,
            json: [
                "tasks": .array(
                    tasks.map { task in
                        [
                            "name": .string(task.name), "description": .optional(task.summary),
                            "in": .string(task.place.rawValue), "machine": .optional(task.machine),
                        ]
                    })
            ])
    }

    private func run(_ job: TaskJob, in machine: Machine) throws -> Int32 {
        let script = try job.script(in: machine)
        let (session, _) = try machine.openSession()
        defer { session.close() }
        if isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 {
            return try InteractiveShell().run(session, script: script).shellStatus
        }
        return try CommandStreams.relay { output, error throws(SSHError) in
            try session.run(script, input: .descriptor(STDIN_FILENO), output: output, error: error)
        }
    }

    /// Becomes the task: signals and the terminal are its own from here on.
    private func replaceProcess(by job: TaskJob) throws -> SystemError {
        let command = try job.hostCommand()
        for (name, value) in command.environment { setenv(name, value, 1) }
        guard chdir(command.folder.string) == 0 else {
            return SystemError("enter", command.folder, Errno(rawValue: errno))
        }
        return try ProcessReplacement.execute(command.words)
    }

    struct NoSuchTask: UserFacingError, Equatable {
        var name: String
        var known: [String]
        var summary: String { "the Wanderfile has no task '\(name)'" }
        var remedy: String? {
            if let near = nearest(to: name, in: known) { return "Did you mean 'wander run \(near)'?" }
            return known.isEmpty
                ? "To run a command in a machine: wander ssh -c \(ShellQuoting.quote(name))" : "See 'wander run'."
        }
        var kind: ErrorKind { .notFound }
    }
}
