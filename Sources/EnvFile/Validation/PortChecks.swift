import NetworkAddress
import YAML

/// Forwarded ports against each other, before anything listens.
struct PortChecks {
    /// Forwards of all machines together.
    static let limit = 4096

    let problems: Problems
    let origins: [String: Mark]
    let containers: [String: Mark]

    private struct Key: Hashable {
        var port: UInt16
        var transport: Transport
    }

    func check(_ environment: Environment) {
        var taken: [Key: [(bind: IPv4Address, owner: String)]] = [:]
        var total = 0
        for machine in environment.machines {
            total += machine.ports.count
            guard total <= Self.limit else {
                problems.report("more than \(Self.limit) forwarded ports", at: mark(machine.name))
                return
            }
            if let port = machine.ssh.port {
                claim(
                    port, .tcp, IPv4Address.loopback, machine.name, "SSH of '\(machine.name)'", mayMove: false, &taken)
            }
            for forward in machine.ports {
                guard let port = forward.hostPort else { continue }
                claim(
                    port, forward.transport, forward.bind, machine.name, "'\(machine.name)'",
                    mayMove: forward.onConflict == .next, &taken)
            }
        }
    }

    private func mark(_ machine: String) -> Mark? {
        containers["machines.\(machine).ports"] ?? origins["machines.\(machine).ssh.port"]
    }

    private func claim(
        _ port: UInt16, _ transport: Transport, _ bind: IPv4Address, _ machine: String,
        _ owner: String,
        mayMove: Bool, _ taken: inout [Key: [(bind: IPv4Address, owner: String)]]
    ) {
        let key = Key(port: port, transport: transport)
        let any = IPv4Address(rawValue: 0)
        let other = taken[key]?.first { $0.bind == bind || $0.bind == any || bind == any }
        if let other, !mayMove {
            problems.report(
                "the host's port \(port)/\(transport.rawValue) is used by both \(other.owner) and \(owner)",
                hint: "Change one of the two, or let it move: '{ guest: ..., host: \(port), on_conflict: next }'.",
                at: mark(machine))
            return
        }
        taken[key, default: []].append((bind, owner))
    }
}
