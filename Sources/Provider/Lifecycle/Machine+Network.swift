import NetworkAddress
import EnvFile
import JSON
public import LinuxSystem
import NetworkControl
import Reporting
import SystemPackage

extension Machine {
    /// Gives the machine its place in the environment's network and sets up its forwards.
    /// - Returns: The forwards as they are, with the host ports that were found.
    func joinNetwork(_ record: MachineRecord, _ definition: MachineDefinition) throws -> [MachineRecord.Forward] {
        guard let mac = MACAddress(record.hardwareAddress) else {
            throw ProviderError.controlFailed(operation: "the network", reason: "bad address \(record.hardwareAddress)")
        }
        try project.startNetwork(with: attachment(record, mac))
        var client = try NetworkClient.connect(folder: project.layout.network)
        var forwards: [MachineRecord.Forward] = []
        if let port = definition.ssh.port {
            forwards.append(
                try add(
                    MachineRecord.Forward(
                        name: "ssh", transport: "tcp", bind: "127.0.0.1", hostPort: port, guestPort: 22),
                    mayMove: false, through: &client))
        }
        for port in definition.ports {
            let wanted = MachineRecord.Forward(
                name: port.name, transport: port.transport.rawValue, bind: "\(port.bind)", hostPort: port.hostPort ?? 0,
                guestPort: port.guestPort)
            forwards.append(try add(wanted, mayMove: port.onConflict == .next, through: &client))
        }
        return forwards
    }

    /// The place that a machine has, or had at its last start, by what its record says.
    func attachment(_ record: MachineRecord, _ mac: MACAddress) -> MachineAttachment {
        let hostname = record.definition?["hostname"]?.stringValue ?? name
        let addresses = record.definition?["networks"]?.arrayValue?.compactMap { $0["ip"]?.stringValue } ?? []
        return MachineAttachment(
            name: name, mac: mac, address: addresses.first.flatMap { IPv4Address($0) },
            hostname: hostname, aliases: hostname == name ? [] : [hostname],
            socket: folder.networkSocket, access: folder.guestSocket,
            transport: record.provider == .emulation ? .datagram : .stream,
            internet: (project.environment.networks.first ?? .standard).internet,
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
                    NetworkControl.PortForward(
                        machine: name, transport: wanted.transport == "udp" ? .udp : .tcp, bind: wanted.bind,
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
    /// - Parameter milliseconds: How long to wait for the port to open; nil fails at once if it is closed.
    /// - Throws: `NetworkError`, `SystemError` if there is no network and none to start again, `Interruption`.
    public func guestConnection(port: UInt16, waiting milliseconds: Int64?) throws -> OwnedDescriptor {
        do {
            return try GuestPort.connect(
                through: folder.guestSocket, port: port, waiting: milliseconds, machine: name,
                cancellation: project.cancellation)
        } catch let error as SystemError {
            guard try project.resumeNetwork() else { throw error }
            return try GuestPort.connect(
                through: folder.guestSocket, port: port, waiting: max(milliseconds ?? 0, Self.reconnectLimit),
                machine: name, cancellation: project.cancellation)
        }
    }
}

extension Project {
    /// Whether a machine of the environment runs.
    public var hasRunningMachines: Bool {
        ((try? layout.machineNames()) ?? []).contains { (try? layout.machine($0).isAlive()) == true }
    }

    /// Starts the environment's network again if it was killed under running machines, for whichever command is the first to
    /// notice; says so. A failure is a warning: the command may not need the network.
    public func reviveNetwork() {
        guard hasRunningMachines else { return }
        do {
            if try resumeNetwork() {
                events.report(.warning("the network had ended while machines run; it was started again"), about: nil)
            }
        } catch {
            let reason = (error as? any UserFacingError)?.summary ?? "\(error)"
            events.report(
                .warning("the network has ended while machines run, and does not start again: \(reason)"), about: nil)
        }
    }

    /// Starts the environment's network again as it was, if it was killed while it had machines.
    /// - Returns: Whether it runs again.
    fileprivate func resumeNetwork() throws -> Bool {
        guard !(try NetworkProcess.isRunning(folder: layout.network)) else { return false }
        var configuration = try networkConfiguration()
        addLivingMachines(to: &configuration)
        guard !configuration.machines.isEmpty else { return false }
        try startNetwork(configuration)
        return true
    }

    /// Starts the environment's network unless it runs, and adds the machine to it.
    fileprivate func startNetwork(with machine: MachineAttachment) throws {
        var configuration = try networkConfiguration()
        configuration.machines = [machine]
        try startNetwork(configuration)
    }

    private func networkConfiguration() throws -> NetworkConfiguration {
        let definition = environment.networks.first ?? .standard
        let fallback = NetworkConfiguration.defaultSubnet
        guard let subnet = definition.subnet ?? IPv4Subnet(fallback) else {
            throw ProviderError.controlFailed(operation: "the network", reason: "bad subnet \(fallback)")
        }
        return NetworkConfiguration(
            name: environment.name, subnet: subnet, internet: definition.internet, folder: layout.network)
    }

    /// Adds the machines that run, and their forwards, to a network that is about to start: the last one may have been
    /// killed, and their monitors wait for one to reconnect to. By their records, not by what the network itself left.
    private func addLivingMachines(to configuration: inout NetworkConfiguration) {
        for name in (try? layout.machineNames()) ?? []
        where !configuration.machines.contains(where: { $0.name == name }) {
            let machine = Machine(project: self, name: name, definition: nil)
            guard (try? machine.folder.isAlive()) == true, let record = try? store.load(name),
                let mac = MACAddress(record.hardwareAddress)
            else { continue }
            configuration.machines.append(machine.attachment(record, mac))
            configuration.forwards += record.forwards.map {
                NetworkControl.PortForward(
                    machine: name, transport: $0.transport == "udp" ? .udp : .tcp, bind: $0.bind,
                    hostPort: $0.hostPort, guestPort: $0.guestPort)
            }
        }
    }

    private func startNetwork(_ configuration: NetworkConfiguration) throws {
        // One command at a time starts the process; machines of one `up` come here in parallel.
        let lock = try OwnedDescriptor.open(
            layout.network.appending("start.lock"), [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.lock(lock, .exclusive, milliseconds: 30_000, cancellation: cancellation) else {
            try cancellation.check()
            throw ProviderError.controlFailed(operation: "the start of the network", reason: "another command holds it")
        }
        try NetworkProcess.ensureRunning(
            configuration, program: settings.programs.appending("wander-net"), cancellation: cancellation,
            starting: addLivingMachines)
    }
}
