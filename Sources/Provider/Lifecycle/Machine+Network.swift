import EnvFile
import JSON
public import LinuxSystem
import NetworkAddress
import NetworkControl
import Reporting
import SystemPackage

extension Machine {
    /// Gives the machine its place in the environment's network and sets up its forwards. The record gets them as they
    /// are, with the host ports that were found, and what the network is.
    func joinNetwork(_ record: inout MachineRecord, _ definition: MachineDefinition) throws {
        record.internet = (project.environment.networks.first ?? .standard).internet
        try project.startNetwork(with: attachment(record))
        var client = try NetworkClient.connect(folder: project.layout.network)
        // One that ran already has kept its own.
        record.subnet = try client.status().subnet.description
        var forwards: [MachineRecord.Forward] = []
        if let port = definition.ssh.port {
            forwards.append(
                try add(
                    MachineRecord.Forward(
                        name: "ssh", transport: .tcp, bind: "127.0.0.1", hostPort: port, guestPort: 22),
                    mayMove: false, through: &client))
        }
        for port in definition.ports {
            let wanted = MachineRecord.Forward(
                name: port.name, transport: port.transport, bind: "\(port.bind)", hostPort: port.hostPort ?? 0,
                guestPort: port.guestPort)
            forwards.append(try add(wanted, mayMove: port.onConflict == .next, through: &client))
        }
        record.forwards = forwards
    }

    /// The place that a machine has, or had at its last start, by what its record says.
    func attachment(_ record: MachineRecord) -> MachineAttachment {
        let hostname = record.definition?["hostname"]?.stringValue ?? name
        let addresses = record.definition?["networks"]?.arrayValue?.compactMap { $0["ip"]?.stringValue } ?? []
        return MachineAttachment(
            name: name, mac: record.hardwareAddress, address: addresses.first.flatMap { IPv4Address($0) },
            hostname: hostname, aliases: hostname == name ? [] : [hostname],
            socket: folder.networkSocket, access: folder.guestSocket,
            transport: record.provider == .emulation ? .datagram : .stream,
            internet: record.internet ?? (project.environment.networks.first ?? .standard).internet,
            hostPorts: (record.definition?["host_ports"]?.arrayValue ?? []).compactMap {
                $0.stringValue.flatMap { HostPorts($0) }
            })
    }

    /// - Parameter mayMove: Whether another host port will do when the wanted one is taken.
    private func add(
        _ wanted: MachineRecord.Forward, mayMove: Bool, through client: inout NetworkClient
    ) throws -> MachineRecord.Forward {
        let first = wanted.hostPort
        // As many tries as people look through; a host with more taken in a row has other trouble.
        let candidates: [UInt16] =
            mayMove && first != 0 ? (0..<100).compactMap { UInt16(exactly: Int(first) + $0) } : [first]
        var failure: (any Error)?
        for candidate in candidates {
            do {
                let actual = try client.add(
                    PortForward(
                        machine: name, transport: wanted.transport, bind: wanted.bind,
                        hostPort: candidate, guestPort: wanted.guestPort))
                if first != 0, actual != first {
                    report(
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
                machine: name, port: first, bind: wanted.bind, transport: wanted.transport,
                holder: nil)
    }

    /// Takes the machine out of the network, with its forwards. A network that has ended has forgotten it already.
    func leaveNetwork() {
        guard var client = try? NetworkClient.connect(folder: project.layout.network) else { return }
        try? client.removeMachine(name)
    }
}

extension Machine {
    /// How long a monitor may take to find the network that was started again, in milliseconds.
    private static let reconnectLimit: Int64 = 10_000

    /// Connects to a TCP port of the guest. A network that was killed under a running machine is started again first.
    /// - Parameters:
    ///   - milliseconds: How long to wait for the port to open; nil fails at once if it is closed.
    ///   - cancellation: What ends the wait; nil: the project's.
    /// - Throws: `NetworkError`, `SystemError` if there is no network and none to start again, `Interruption`.
    public func guestConnection(
        port: UInt16, waiting milliseconds: Int64?, _ cancellation: Cancellation? = nil
    ) throws -> OwnedDescriptor {
        let cancellation = cancellation ?? project.cancellation
        do {
            return try GuestPort.connect(
                through: folder.guestSocket, port: port, waiting: milliseconds, machine: name,
                cancellation: cancellation)
        } catch let error as SystemError {
            guard try project.resumeNetwork() else { throw error }
            return try GuestPort.connect(
                through: folder.guestSocket, port: port, waiting: max(milliseconds ?? 0, Self.reconnectLimit),
                machine: name, cancellation: cancellation)
        }
    }
}
