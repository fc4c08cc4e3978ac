import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

/// The network of a project's machines.
protocol EnvironmentNetwork: Sendable {
    /// Whether it runs.
    var isRunning: Bool { get throws }

    /// Starts it unless it runs, and adds the configuration's machines to it.
    /// - Parameter completion: Adds what else a network that is about to start must have.
    func ensureRunning(
        _ configuration: NetworkConfiguration, cancellation: Cancellation,
        starting completion: (inout NetworkConfiguration) -> Void) throws

    /// What it says of itself. It runs.
    func status() throws -> NetworkStatus

    /// Opens a port of the host.
    /// - Returns: The port of the host, which matters where the wanted one is 0.
    func add(_ forward: PortForward) throws -> UInt16

    /// Takes a machine out, with its forwards. One that it does not have is no error.
    func removeMachine(_ name: String) throws
}

/// The one that `wander-net` serves.
struct WanderNetwork: EnvironmentNetwork {
    let layout: ProjectLayout
    let program: FilePath

    var isRunning: Bool { get throws { try NetworkProcess.isRunning(folder: layout.network) } }

    func ensureRunning(
        _ configuration: NetworkConfiguration, cancellation: Cancellation,
        starting completion: (inout NetworkConfiguration) -> Void
    ) throws {
        try NetworkProcess.ensureRunning(
            configuration, program: program, cancellation: cancellation, starting: completion)
    }

    func status() throws -> NetworkStatus {
        var client = try NetworkClient.connect(folder: layout.network)
        return try client.status()
    }

    func add(_ forward: PortForward) throws -> UInt16 {
        var client = try NetworkClient.connect(folder: layout.network)
        return try client.add(forward)
    }

    func removeMachine(_ name: String) throws {
        var client = try NetworkClient.connect(folder: layout.network)
        try client.removeMachine(name)
    }
}
