import ArgumentParser
import EnvFile
import Glibc
import LinuxSystem
import Provider
import Reporting
import SSH
import SystemPackage

struct SSHCommandLine: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh", abstract: "Log into a machine, or run a command in it.",
        discussion: """
            wander ssh web
            wander ssh web -c 'uptime -p'
            wander ssh web -- -N -L 8080:localhost:80
            Interactive sessions use the system's ssh(1) where there is one, which gets what comes after '--'. \
            With -c, exits with the command's own status. 'ssh: { forward_agent: true }' brings your SSH agent along, \
            in both; provisioners never get it, so that they do the same whoever runs them.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?
    @Option(name: [.short, .long], help: "Run this command with the guest's shell instead of logging in.") var command:
        String?
    @Flag(help: "Give the command a terminal.") var tty = false
    @Argument(parsing: .postTerminator, help: "Options and words for ssh(1).") var extra: [String] = []

    func execute(_ context: CommandContext) throws {
        let machine = try find(in: project.load(context))
        // Only ssh(1) brings the user's agent along.
        let forwardsAgent =
            machine.definition?.ssh.forwardAgent == true && environmentVariable("SSH_AUTH_SOCK") != nil
        if forwardsAgent, command != nil, findExecutable("ssh") == nil {
            context.console.report(
                .warning("'forward_agent' needs ssh(1), which is not installed"), about: machine.name)
        }
        if let command, extra.isEmpty, !forwardsAgent || findExecutable("ssh") == nil {
            throw ExitCode(try run(command, in: machine, context))
        }
        guard findExecutable("ssh") != nil else {
            let (session, _) = try machine.openSession()
            throw ExitCode(try InteractiveShell().run(session, command: command).shellStatus)
        }
        try replaceProcess(by: machine, context)
    }

    private func find(in project: Project) throws -> Machine {
        do { return try project.machine(named: machine) } catch ProviderError.noSuchMachine(let name, nil) {
            throw NoSuchMachine(name: name)
        }
    }

    /// A word that is not a machine may have been meant as a command.
    struct NoSuchMachine: UserFacingError {
        let name: String
        private var error: ProviderError { .noSuchMachine(name, suggestion: nil) }
        var summary: String { error.summary }
        var remedy: String? {
            "To run a command in the primary machine: wander ssh -c \(ShellQuoting.quote(name))\n\(error.remedy ?? "")"
        }
        var kind: ErrorKind { error.kind }
    }

    /// Through wander's own connection: no second process, no agent, no configuration of the user's.
    private func run(_ command: String, in machine: Machine, _ context: CommandContext) throws -> Int32 {
        let (session, _) = try machine.openSession()
        defer { session.close() }
        if tty, isatty(STDIN_FILENO) == 1 { return try InteractiveShell().run(session, command: command).shellStatus }
        return try CommandStreams.relay { output, error throws(SSHError) in
            try session.run(request(command, machine), input: .descriptor(STDIN_FILENO), output: output, error: error)
        }
    }

    private func request(_ command: String, _ machine: Machine) -> SSHCommand {
        var request = SSHCommand(command)
        request.environment = machine.commandEnvironment.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
        return request
    }

    /// Becomes ssh(1): signals, job control and the terminal are its own from here on.
    private func replaceProcess(by machine: Machine, _ context: CommandContext) throws {
        let block = try machine.sshConfiguration(program: FileSystem.resolve("/proc/self/exe"))
        var words = ["ssh"]
        // Of a connection that the guest's server refuses to make, ssh(1) tells at this level.
        let isTalkative = SSHWords.askForConnections(extra)
        for (name, value) in block.settings {
            words += ["-o", "\(name)=\(name == "LogLevel" && isTalkative ? "INFO" : value)"]
        }
        // ssh(1) reads options after the host too, and knows which of them take a value: '-L 8080:localhost:80'.
        if command != nil { words.append(tty ? "-tt" : "-T") }
        var line: [String] = []
        if let request = command.map({ request($0, machine) }) {
            if request.environment.isEmpty || extra.contains(where: { $0.hasPrefix("-F") }) {
                line = [request.commandLine]
            } else {
                // Everybody on this host sees arguments.
                words += ["-F", try machine.sshFile(running: request.commandLine, on: block.host).string]
            }
        }
        words += [block.host] + extra + line
        throw try ProcessReplacement.execute(words)
    }
}
