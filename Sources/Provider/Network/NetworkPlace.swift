import EnvFile
import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import Reporting
import SystemPackage

/// A machine's place in its environment's network: its card, its addresses, and the ports of the host that lead to it.
struct NetworkPlace {
    let machine: Machine
    private var project: Project { machine.project }

    /// What a machine has got when it has joined.
    struct Joined {
        var internet: Bool
        /// Such as `10.77.0.0/24`.
        var subnet: String
        /// With the host ports that were found.
        var forwards: [MachineRecord.Forward]
    }

    /// Gives the machine its place, and sets up its forwards.
    func join(_ record: MachineRecord, _ definition: MachineDefinition) throws -> Joined {
        let internet = (project.environment.networks.first ?? .standard).internet
        try project.startNetwork(with: attachment(record, internet: internet))
        // One that ran already has kept its own.
        var joined = Joined(internet: internet, subnet: try project.network.status().subnet.description, forwards: [])
        if let port = definition.ssh.port {
            let wanted = MachineRecord.Forward(
                name: "ssh", transport: .tcp, bind: "127.0.0.1", hostPort: port, guestPort: 22)
            joined.forwards.append(try open(wanted, mayMove: false))
        }
        for port in definition.ports {
            let wanted = MachineRecord.Forward(
                name: port.name, transport: port.transport, bind: "\(port.bind)", hostPort: port.hostPort ?? 0,
                guestPort: port.guestPort)
            joined.forwards.append(try open(wanted, mayMove: port.onConflict == .next))
        }
        return joined
    }

    /// Gives the place up, with the forwards. A network that has ended has forgotten it already.
    func leave() { try? project.network.removeMachine(machine.name) }

    /// The place that the machine has, or had at its last start, by what its record says.
    /// - Parameter internet: nil: as the record says.
    func attachment(_ record: MachineRecord, internet: Bool? = nil) -> MachineAttachment {
        let (name, folder) = (machine.name, machine.folder)
        let hostname = record.definition?["hostname"]?.stringValue ?? name
        let addresses = record.definition?["networks"]?.arrayValue?.compactMap { $0["ip"]?.stringValue } ?? []
        return MachineAttachment(
            name: name, mac: record.hardwareAddress, address: addresses.first.flatMap { IPv4Address($0) },
            hostname: hostname, aliases: hostname == name ? [] : [hostname],
            socket: folder.networkSocket, access: folder.guestSocket,
            transport: record.provider == .emulation ? .datagram : .stream,
            internet: internet ?? record.internet ?? (project.environment.networks.first ?? .standard).internet,
            hostPorts: (record.definition?["host_ports"]?.arrayValue ?? []).compactMap {
                $0.stringValue.flatMap { HostPorts($0) }
            })
    }

    /// What the network knows of the machine.
    func status() throws -> NetworkStatus.Machine? { try project.network.status().machine(machine.name) }

    /// - Parameter mayMove: Whether another host port will do when the wanted one is taken.
    private func open(_ wanted: MachineRecord.Forward, mayMove: Bool) throws -> MachineRecord.Forward {
        let first = wanted.hostPort
        // As many tries as people look through; a host with more taken in a row has other trouble.
        let candidates: [UInt16] =
            mayMove && first != 0 ? (0..<100).compactMap { UInt16(exactly: Int(first) + $0) } : [first]
        var failure: (any Error)?
        for candidate in candidates {
            do {
                let actual = try project.network.add(
                    PortForward(
                        machine: machine.name, transport: wanted.transport, bind: wanted.bind,
                        hostPort: candidate, guestPort: wanted.guestPort))
                if first != 0, actual != first {
                    machine.report(
                        .warning("host port \(first) is taken: port \(wanted.guestPort) is at \(wanted.bind):\(actual)")
                    )
                }
                var forward = wanted
                forward.hostPort = actual
                return forward
            } catch { failure = failure ?? error }
        }
        throw failure
            ?? ProviderError.portTaken(
                machine: machine.name, port: first, bind: wanted.bind, transport: wanted.transport, holder: nil)
    }
}
