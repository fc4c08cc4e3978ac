import ArgumentParser
import JSON
import NetworkAddress
import Provider
import Reporting

struct Port: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the ports of the host that lead to a machine.",
        discussion: """
            wander port
            wander port web 80
            With a port of the guest, prints only the host's port that leads there.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?
    @Argument(help: ArgumentHelp("A port of the guest, such as 80 or 53/udp.", valueName: "port"))
    var wanted: GuestPortNumber?
    @Option(help: "The same: a port of the guest.") var guest: GuestPortNumber?

    func validate() throws {
        guard wanted == nil || guest == nil else { throw ValidationError("Name the port once: wander port web 80") }
    }

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
        var (name, port) = (machine, wanted ?? guest)
        // A single number is a port of the primary machine: no machine has such a name.
        if port == nil, let number = name.flatMap({ GuestPortNumber(argument: $0) }) { (name, port) = (nil, number) }
        let machine = try project.machine(named: name)
        let forwards = try machine.forwards()
        if let port {
            let found = forwards.first { forward in
                forward.guestPort == port.number && port.transport.map { $0 == forward.transport } != false
            }
            guard let found else { throw NoSuchForward(port: port.number, machine: machine.name) }
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

/// A port of a guest on the command line: `80`, `80/tcp`, `53/udp`.
struct GuestPortNumber: ExpressibleByArgument {
    let number: UInt16
    /// nil: either.
    let transport: Transport?

    init?(argument: String) {
        let parts = argument.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        transport = parts.count == 1 ? nil : Transport(rawValue: parts[1])
        guard let number = UInt16(parts[0]), number > 0, parts.count == 1 || transport != nil else { return nil }
        self.number = number
    }
}
