import EnvFile
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

extension Machine {
    /// Refuses a machine whose ports of the host are taken, before anything is made or started.
    /// - Throws: ``ProviderError/portTaken(machine:port:bind:transport:holder:)``
    func checkHostPorts(_ definition: MachineDefinition) throws {
        let wanted =
            definition.ports.filter { $0.onConflict == .fail }.compactMap { port in
                port.hostPort.map { (port: $0, transport: port.transport, bind: port.bind) }
            } + (definition.ssh.port.map { [(port: $0, transport: .tcp, bind: .loopback)] } ?? [])
        guard !wanted.isEmpty else { return }
        // What this environment's own network has for the machine is the machine's.
        let own = project.networkStatus()?.forwards.filter { $0.forward.machine == name }.map(\.forward.hostPort) ?? []
        for (port, transport, bind) in wanted where !own.contains(port) {
            let kind: PortHolder.Transport = transport == .tcp ? .tcp : .udp
            guard PortHolder.isTaken(port, kind, address: bind.rawValue.bigEndian) else { continue }
            throw ProviderError.portTaken(
                machine: name, port: port, bind: bind.description, transport: transport.rawValue,
                holder: PortHolder.find(port, kind).map(Self.words))
        }
    }

    /// Who has it, for people: of wander's own networks, whose.
    private static func words(_ holder: PortHolder) -> String {
        guard holder.name == "wander-net", let file = holder.arguments.last.map({ FilePath($0) }) else {
            return "\(holder.name) (process \(holder.process))"
        }
        // PROJECT/.wander/net/FILE
        let project = file.removingLastComponent().removingLastComponent().removingLastComponent()
        return "the environment in \(project)"
    }
}
