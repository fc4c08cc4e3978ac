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
                    port, .tcp, IPv4Address.loopback, origins["machines.\(machine.name).ssh.port"],
                    "SSH of '\(machine.name)'", mayMove: false, &taken)
            }
            for (index, forward) in machine.ports.enumerated() {
                guard let port = forward.hostPort else { continue }
                claim(
                    port, forward.transport, forward.bind, mark(machine.name, port: index), "'\(machine.name)'",
                    mayMove: forward.onConflict == .next, &taken)
            }
        }
    }

    private func mark(_ machine: String) -> Mark? {
        containers["machines.\(machine).ports"] ?? origins["machines.\(machine).ssh.port"]
    }

    /// Where a port of the host is written: in the long form or in the short one.
    private func mark(_ machine: String, port index: Int) -> Mark? {
        let path = "machines.\(machine).ports[\(index)]"
        return origins["\(path).host"] ?? origins[path] ?? mark(machine)
    }

    private func claim(
        _ port: UInt16, _ transport: Transport, _ bind: IPv4Address, _ mark: Mark?, _ owner: String,
        mayMove: Bool, _ taken: inout [Key: [(bind: IPv4Address, owner: String)]]
    ) {
        let key = Key(port: port, transport: transport)
        let any = IPv4Address(rawValue: 0)
        let other = taken[key]?.first { $0.bind == bind || $0.bind == any || bind == any }
        if let other, !mayMove {
            problems.report(
                "the host's port \(port)/\(transport.rawValue) is used by both \(other.owner) and \(owner)",
                hint: "Change one of the two, or let it move: '{ guest: ..., host: \(port), on_conflict: next }'.",
                at: mark)
            return
        }
        taken[key, default: []].append((bind, owner))
    }
}
