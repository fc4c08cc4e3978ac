import EnvFile
import LinuxSystem
import NetworkAddress
import NetworkControl
import Reporting
import SystemPackage

extension Project {
    /// Whether a machine of the environment runs.
    public var hasRunningMachines: Bool {
        ((try? layout.machineNames()) ?? []).contains { (try? layout.machine($0).isAlive()) == true }
    }

    /// Starts the environment's network again if it was killed under running machines, and reports it. Whichever
    /// command notices first does so. A failure is a warning: the command may not need the network.
    public func reviveNetwork() {
        guard hasRunningMachines else { return }
        do {
            if try resumeNetwork() {
                events.report(.warning("the network had ended while machines run; it was started again"), about: nil)
            }
        } catch {
            let reason = error.inWords
            events.report(
                .warning("the network has ended while machines run, and does not start again: \(reason)"), about: nil)
        }
    }

    /// Starts the environment's network again as it was, if it was killed while it had machines.
    /// - Returns: Whether it runs again.
    func resumeNetwork() throws -> Bool {
        guard try !network.isRunning else { return false }
        let configuration = try networkConfiguration()
        var completed = configuration
        addLivingMachines(to: &completed)
        guard !completed.machines.isEmpty else { return false }
        try startNetwork(configuration)
        return true
    }

    /// Starts the environment's network unless it runs, and adds the machine to it.
    func startNetwork(with machine: MachineAttachment) throws {
        var configuration = try networkConfiguration()
        configuration.machines = [machine]
        try startNetwork(configuration)
    }

    func networkConfiguration() throws -> NetworkConfiguration {
        let definition = environment.networks.first ?? .standard
        let fallback = NetworkConfiguration.defaultSubnet
        guard let subnet = definition.subnet ?? IPv4Subnet(fallback) else {
            throw ProviderError.controlFailed(operation: "the network", reason: "bad subnet \(fallback)")
        }
        return NetworkConfiguration(
            name: environment.name, subnet: subnet, internet: definition.internet, folder: layout.network)
    }

    /// Adds the machines that run, and their forwards, to a network that is about to start: the last one may have been
    /// killed, and their monitors wait for one to reconnect to. By their records, not by what the network itself left:
    /// it becomes what their guests know, whatever the Wanderfile says by now.
    func addLivingMachines(to configuration: inout NetworkConfiguration) {
        var living: [MachineAttachment] = []
        for name in (try? layout.machineNames()) ?? []
        where !configuration.machines.contains(where: { $0.name == name }) {
            let machine = Machine(project: self, name: name, definition: nil)
            guard let record = try? store.load(name), machine.isInNetwork(record) else { continue }
            if let subnet = record.subnet.flatMap({ IPv4Subnet($0) }) { configuration.subnet = subnet }
            living.append(NetworkPlace(machine: machine).attachment(record))
            configuration.forwards += record.forwards.map {
                PortForward(
                    machine: name, transport: $0.transport, bind: $0.bind,
                    hostPort: $0.hostPort, guestPort: $0.guestPort)
            }
        }
        // Before those that are to be added, which get what addresses they leave.
        configuration.machines = living + configuration.machines
    }

    private func startNetwork(_ configuration: NetworkConfiguration) throws {
        // One command at a time starts the process; machines of one `up` come here in parallel.
        let lock = try OwnedDescriptor.open(
            layout.network.appending("start.lock"), [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.lock(lock, .exclusive, milliseconds: 30_000, cancellation: cancellation) else {
            try cancellation.check()
            throw ProviderError.controlFailed(operation: "the start of the network", reason: "another command holds it")
        }
        try network.ensureRunning(configuration, cancellation: cancellation, starting: addLivingMachines)
    }
}

extension Machine {
    /// Whether the machine runs, and had its place in a network that has ended. One that a command is only about to
    /// start takes its place itself; it may have none to put a socket yet.
    fileprivate func isInNetwork(_ record: MachineRecord) -> Bool {
        guard (try? folder.isAlive()) == true,
            !FileSystem.isAbsent(folder.networkSocket.removingLastComponent())
        else { return false }
        switch record.stage {
        case .creating, .stopped: return false
        case .starting:
            // A lock that cannot be looked at is no reason to take a running machine's network away.
            return record.process != nil || (try? CommandLock.isHeld(name, in: project.layout)) != true
        case .running, .stopping, .destroying: return true
        }
    }
}
