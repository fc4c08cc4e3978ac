import NetworkAddress
import YAML

/// Values of other tools as the lines that a Wanderfile has instead: with the user's own ports, addresses and paths.
/// Each is nil where the value does not have enough information.
enum ForeignValue {
    /// More would be no hint but a file.
    private static let limit = 8

    /// `{ guest: 80, host: 8080 }`, a list of such, or `8080:80`.
    static func ports(_ value: Node) -> String? {
        let items = value.sequence ?? pairs(value) ?? [value]
        let ports = items.compactMap(port)
        guard !ports.isEmpty, ports.count == items.count, ports.count <= limit else { return nil }
        return "ports: [\(ports.joined(separator: ", "))]"
    }

    /// An item of `ports`.
    private static func port(_ value: Node) -> String? {
        if let text = value.shortText {
            guard text.contains(":"), (try? PortRange(parsing: text)) != nil else { return nil }
            return "\"\(text)\""
        }
        func number(_ names: String...) -> String? {
            names.lazy.compactMap { value[$0]?.scalar }.first { UInt16($0).map { $0 > 0 } == true }
        }
        guard let guest = number("guest", "guest_port", "guestPort", "target", "container_port") else { return nil }
        let host = number("host", "host_port", "hostPort", "published")
        let bind = value.shortText("host_ip", "hostIP", "bind").flatMap { IPv4Address($0)?.description }
        let isDatagram = value.shortText("protocol", "proto") == "udp"
        guard value.shortText("auto_correct") != "true", bind == nil || host != nil else {
            let parts = [
                "guest: \(guest)", host.map { "host: \($0)" }, bind.map { "bind: \($0)" },
                isDatagram ? "proto: udp" : nil, value.shortText("auto_correct") == "true" ? "on_conflict: next" : nil,
            ]
            return "{ \(parts.compactMap(\.self).joined(separator: ", ")) }"
        }
        let places = [bind, host, guest].compactMap(\.self).joined(separator: ":")
        return "\"\(places)\(isDatagram ? "/udp" : "")\""
    }

    /// `{ 8080: 80 }` as the list of its pairs.
    private static func pairs(_ value: Node) -> [Node]? {
        guard let entries = value.mapping, !entries.isEmpty, entries.allSatisfy({ UInt16($0.name) != nil }) else {
            return nil
        }
        return entries.map { entry in
            Node(content: .scalar("\(entry.name):\(entry.value.scalar ?? "")", isPlain: true), mark: entry.mark)
        }
    }

    /// `{ ip: 192.168.56.10 }`, or the address alone.
    static func networks(_ value: Node) -> String? {
        address(value).map { "networks: [{ ip: \($0) }]" }
    }

    private static func address(_ value: Node) -> IPv4Address? {
        (value.shortText ?? (value.sequence?.first ?? value).shortText("ip", "address")).flatMap { IPv4Address($0) }
    }

    /// Vagrant's `network`, with what kind it is as a key.
    static func network(_ value: Node) -> String? {
        if let forward = value["forwarded_port"] { return ports(forward) }
        if let place = value["private_network"] ?? value["public_network"] { return networks(place) }
        return ForeignKey.key("networks").line(for: value)
    }

    /// `[".", "/srv"]`, `{ host: ., guest: /srv }`, or `.:/srv`.
    static func shares(_ value: Node) -> String? {
        if let text = value.shortText { return text.contains(":/") ? "shares: [\"\(text)\"]" : nil }
        let words = (value.sequence ?? []).compactMap(\.shortText)
        let host = value.shortText("host", "hostpath", "source", "src", "location") ?? words.first
        let guest =
            value.shortText("guest", "guestpath", "target", "destination", "mountPoint") ?? words.dropFirst().first
        guard words.isEmpty || words.count == 2, let host, let guest, guest.hasPrefix("/") else { return nil }
        return "shares: [\(YAMLText.scalar("\(host):\(guest)"))]"
    }

    /// - Parameter key: What a step calls it: `run` or `script`.
    static func step(_ key: String) -> @Sendable (Node) -> String? {
        { value in value.shortText.map { "provision: [{ \(key): \(YAMLText.scalar($0)) }]" } }
    }

    /// The settings of another tool's hypervisor: what a machine has of them.
    static func hypervisor(_ value: Node) -> String? {
        let settings = [
            value["memory"].flatMap { ForeignKey.size("memory", unit: "MiB").line(for: $0) },
            value["cpus"].flatMap { ForeignKey.key("cpus").line(for: $0) },
        ].compactMap(\.self)
        return settings.isEmpty ? nil : settings.joined(separator: "' and '")
    }

    /// A value in quotes, for a sentence about a name that is not a machine's.
    static func machines(_ value: Node) -> String? {
        value.shortText.flatMap { ScalarType.isName($0) ? "machines: { \($0): {} }" : nil }
    }
}
