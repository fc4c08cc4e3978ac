import Glibc
import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

extension Network {
    /// Serves the control socket of the configuration's folder.
    public func listenForControl() throws {
        let listener = try ConnectionListener(at: configuration.controlSocket) { [unowned self] descriptor in
            loop.add(ControlConnection(descriptor, network: self))
        }
        loop.add(listener)
        control = listener
    }

    /// Everything that the network knows about itself.
    var status: JSONValue {
        [
            "ok": true, "schema": 1, "process": .integer(Int64(getpid())), "name": .string(configuration.name),
            "subnet": .string(configuration.subnet.description), "gateway": .string(gateway.address.description),
            "internet": .bool(configuration.internet),
            "ipv6": .bool(ipv6), "mtu": .integer(Int64(mtu)), "machines": .array(machines.map(Self.status)),
            "forwards": .array(
                forwards.map { Self.status($0.forward, failure: nil, $0.connections, $0.guestState) }
                    + failedForwards.map { Self.status($0.forward, failure: $0.reason, 0, .unknown) }),
        ]
    }

    private static func status(_ machine: Station) -> JSONValue {
        var drops = DropReason.allCases.compactMap { reason in
            machine.drops[reason].map { JSONMember(reason.rawValue, .size($0)) }
        }
        if let dropped = machine.link?.dropped, dropped > 0 { drops.append(JSONMember("not-taken", .size(dropped))) }
        return [
            "name": .string(machine.name), "mac": .string(machine.mac.description),
            "address": .string(machine.address.description), "connected": .bool(machine.link != nil),
            "leased": .bool(machine.leased), "internet": .bool(machine.internet),
            "hostPorts": .strings(machine.hostPorts.map(\.description)),
            "framesFrom": .size(machine.counters.framesFrom), "bytesFrom": .size(machine.counters.bytesFrom),
            "framesTo": .size(machine.counters.framesTo), "bytesTo": .size(machine.counters.bytesTo),
            "outsideSockets": .integer(Int64(machine.nat?.socketCount ?? 0)),
            "hostConnections": .integer(Int64(machine.connections.count)), "dropped": .object(drops),
        ]
    }

    private static func status(
        _ forward: PortForward, failure: String?, _ connections: Int, _ state: GuestState
    ) -> JSONValue {
        guard case .object(let members) = forward.json else { return .null }
        return .object(
            members + [
                JSONMember("failure", .optional(failure)), JSONMember("connections", .integer(Int64(connections))),
                JSONMember("guestState", .string(state.rawValue)),
            ])
    }
}
