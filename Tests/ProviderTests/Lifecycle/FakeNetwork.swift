import JSON
import LinuxSystem
import NetworkControl
import Synchronization

@testable import Provider

/// A network of which nothing runs: it knows its machines and their forwards.
final class FakeNetwork: EnvironmentNetwork {
    struct Taken: Error {}
    private let state = Mutex((machines: [MachineAttachment](), forwards: [PortForward](), taken: Set<UInt16>()))

    var machines: [String] { state.withLock { $0.machines.map(\.name) } }
    var forwards: [UInt16] { state.withLock { $0.forwards.map(\.hostPort) } }
    /// Has somebody else hold a port of the host.
    func take(_ port: UInt16) { state.withLock { _ = $0.taken.insert(port) } }

    var isRunning: Bool { state.withLock { !$0.machines.isEmpty } }

    func ensureRunning(
        _ configuration: NetworkConfiguration, cancellation: Cancellation,
        starting completion: (inout NetworkConfiguration) -> Void
    ) {
        for machine in configuration.machines {
            try? removeMachine(machine.name)
            state.withLock { $0.machines.append(machine) }
        }
    }

    func status() throws -> NetworkStatus {
        let machines = state.withLock { state in
            state.machines.map { machine -> JSONValue in
                [
                    "name": .string(machine.name), "mac": .string("\(machine.mac)"), "address": "10.77.0.10",
                    "connected": true, "leased": false,
                ]
            }
        }
        return try NetworkStatus(
            json: ["name": "fake", "subnet": "10.77.0.0/24", "machines": .array(machines), "forwards": []])
    }

    func add(_ forward: PortForward) throws -> UInt16 {
        try state.withLock { state in
            guard !state.taken.contains(forward.hostPort) else { throw Taken() }
            state.forwards.append(forward)
            return forward.hostPort
        }
    }

    func removeMachine(_ name: String) throws {
        state.withLock { state in
            state.machines.removeAll { $0.name == name }
            state.forwards.removeAll { $0.machine == name }
        }
    }
}
