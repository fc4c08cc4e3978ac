import EnvFile
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

/// Refuses a machine whose host ports are taken, before anything is made or started.
struct HostPortCheck {
    let machine: Machine
    private var project: Project { machine.project }

    init(_ machine: Machine) { self.machine = machine }

    /// - Throws: ``ProviderError/portTaken(machine:port:bind:transport:holder:)``
    func run(_ definition: MachineDefinition) throws {
        let wanted =
            definition.ports.filter { $0.onConflict == .fail }.compactMap { port in
                port.hostPort.map { (port: $0, transport: port.transport, bind: port.bind) }
            } + (definition.ssh.port.map { [(port: $0, transport: .tcp, bind: .loopback)] } ?? [])
        guard !wanted.isEmpty else { return }
        // What this environment's own network has for the machine is the machine's.
        let own =
            project.networkStatus()?.forwards.filter { $0.forward.machine == machine.name }.map(\.forward.hostPort)
            ?? []
        for (port, transport, bind) in wanted where !own.contains(port) {
            guard PortHolder.isTaken(port, transport, address: bind.rawValue.bigEndian) else { continue }
            throw ProviderError.portTaken(
                machine: machine.name, port: port, bind: bind.description, transport: transport,
                holder: holder(of: port, transport))
        }
    }

    /// Who has it: of wander's own networks, whose. Their processes may be hidden from us, as they hide their memory.
    private func holder(of port: UInt16, _ transport: Transport) -> PortOwner? {
        let found = PortHolder.find(port, transport)
        if let found, found.name != "wander-net" { return .process(found.name, found.process) }
        for layout in [project.layout] + (project.settings.knownEnvironments?.layouts() ?? []) {
            let network = project.services.network(layout)
            let forwards = (try? network.isRunning) == true ? (try? network.status())?.forwards ?? [] : []
            let forward = forwards.first {
                $0.failure == nil && $0.forward.hostPort == port && $0.forward.transport == transport
            }
            guard let owner = forward?.forward.machine else { continue }
            guard layout == project.layout else { return .machineElsewhere(owner, layout.project) }
            let isDefined = project.environment.machines.contains { $0.name == owner }
            return isDefined ? .machine(owner) : .formerMachine(owner)
        }
        return found.map { .process($0.name, $0.process) }
    }
}
