import ArgumentParser
import JSON
import LinuxSystem
import Provider
import SSH
import SystemPackage

struct SSHConfigCommand: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh-config", abstract: "Print what ssh(1) needs to reach machines, as ~/.ssh/config has it.",
        discussion: """
            wander ssh-config > .wander/ssh_config, then: ssh -F .wander/ssh_config MACHINE
            Editors and tools that read such a file reach the machines without any port of the host.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "Machines, by name or pattern.", completion: Completions.machines)
    var machines: [String] = []
    @Option(help: "The name for ssh(1), instead of the machine's.") var host: String?

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        let chosen = try project.machines(named: machines)
        // Without names: those that run. One that was named must.
        let running = try chosen.filter { try !machines.isEmpty || [.running, .starting].contains($0.state().state) }
        guard !running.isEmpty else {
            let first = chosen.first?.name ?? "default"
            // The first that there is says what is the case; of none there is nothing to say but that.
            let states = try chosen.map { ($0.name, try $0.state().state) }
            guard let made = states.first(where: { $0.1 != .notCreated }) else {
                throw ProviderError.notCreated(machine: first)
            }
            throw ProviderError.notRunning(machine: made.0, state: made.1.words)
        }
        let program = try FileSystem.resolve("/proc/self/exe")
        let blocks = try running.map {
            try $0.sshConfiguration(host: running.count == 1 ? host : nil, program: program)
        }
        let others = chosen.filter { machine in !running.contains { $0.name == machine.name } }.map(\.name)
        let comment = others.map { "# \($0) does not run: wander up \($0)\n" }.joined()
        context.output(
            ([comment].filter { !$0.isEmpty } + blocks.map(\.rendered)).joined(separator: "\n"),
            json: [
                "hosts": .array(
                    blocks.map { block in
                        .object(
                            [JSONMember("host", .string(block.host))]
                                + block.settings.map { JSONMember($0.0, .string($0.1)) })
                    })
            ])
    }
}
