import ArgumentParser
import JSON
import NetworkAddress
import Provider
import Reporting

struct Port: WanderCommand {
    static let configuration = CommandConfiguration(abstract: "Show the ports of the host that lead to a machine.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?
    @Option(help: "Print only the host port of this guest port.") var guest: UInt16?

    struct NoSuchForward: UserFacingError {
        let port: UInt16
        let machine: String
        var summary: String { "no port of the host leads to port \(port) of \(machine)" }
        var remedy: String? { "Add it under 'ports' in the Wanderfile, then: wander reload \(machine)" }
        var kind: ErrorKind { .notFound }
    }

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        project.reviveNetwork()
        let machine = try project.machine(named: machine)
        let forwards = try machine.forwards()
        if let guest {
            guard let found = forwards.first(where: { $0.guestPort == guest }) else {
                throw NoSuchForward(port: guest, machine: machine.name)
            }
            return context.output("\(found.hostPort)", json: MachineResults.forward(found))
        }
        var table = TextTable()
        for forward in forwards {
            table.add(
                [
                    "\(forward.guestPort)/\(forward.transport)", "->", "\(forward.bind):\(forward.hostPort)",
                    forward.name ?? "",
                ])
        }
        context.output(
            forwards.isEmpty ? "No ports are forwarded to \(machine.name)." : table.rendered,
            json: ["machine": .string(machine.name), "forwards": .array(forwards.map(MachineResults.forward))])
    }
}
