import NetworkAddress
import RubyReader

/// The one network of the environment, made of the private networks that a Vagrantfile has.
struct VagrantNetworkPlan {
    static let name = "lan"

    private struct Place {
        var address: IPv4Address
        var prefix: UInt32
        var network: UInt32 { address.rawValue & VagrantNetworkPlan.mask(prefix) }
    }

    /// The environment's network as its key; nil: no machine has a fixed address.
    private(set) var network: WanderfileItem?
    private let remarks: ImportRemarks
    private let subnet: (network: UInt32, prefix: UInt32)?
    /// Addresses that machines have: two cannot have the same.
    private var taken: Set<UInt32> = []

    init(_ machines: [EffectiveMachine], remarks: ImportRemarks) {
        self.remarks = remarks
        let places = machines.map { machine in machine.networks.compactMap { Self.place($0) } }
        subnet = Self.subnet(of: places)
        guard let subnet else { return }
        if subnet.prefix == 16, places.flatMap(\.self).contains(where: { $0.prefix != 16 }) {
            for network in machines.flatMap(\.networks) where Self.place(network) != nil {
                remarks.changed(
                    "private_network", "the networks are one here, \(IPv4Address(rawValue: subnet.network))/16",
                    at: network.line)
            }
        }
        let line = machines.lazy.flatMap(\.networks).first { Self.place($0) != nil }?.line ?? 0
        let text = "\(IPv4Address(rawValue: subnet.network))/\(subnet.prefix)"
        let member = WanderfileValue.Member(name: "subnet", value: .plain(text))
        network = WanderfileItem(.map([.init(name: Self.name, value: .map([member]))]), line: line)
    }

    private static func mask(_ prefix: UInt32) -> UInt32 { prefix == 0 ? 0 : ~0 << (32 - min(prefix, 32)) }

    private static func place(_ network: VagrantNetwork) -> Place? {
        guard network.kind == "private_network", let text = network.options.named("ip")?.text,
            let address = IPv4Address(RubyPlaceholder.withoutVariables(text))
        else { return nil }
        return Place(address: address, prefix: prefix(network.options.named("netmask")))
    }

    /// From /16 to /29, as networks here are.
    private static func prefix(_ netmask: RubyValue?) -> UInt32 {
        guard let text = netmask?.text.map({ RubyPlaceholder.withoutVariables($0) }) else { return 24 }
        let bits = IPv4Address(text).map { UInt32($0.rawValue.nonzeroBitCount) } ?? UInt32(text) ?? 24
        return min(max(bits, 16), 29)
    }

    /// The network that most machines have a place in; a wider one, where each machine has one place and they differ.
    private static func subnet(of places: [[Place]]) -> (network: UInt32, prefix: UInt32)? {
        let all = places.flatMap(\.self)
        guard let first = all.first else { return nil }
        let networks = Set(all.map(\.network))
        let wide = Set(all.map { $0.address.rawValue & mask(16) })
        if networks.count > 1, wide.count == 1, places.allSatisfy({ $0.count <= 1 }) {
            return (first.address.rawValue & mask(16), 16)
        }
        let counts = places.reduce(into: [UInt32: Int]()) { counts, own in
            for network in Set(own.map(\.network)) { counts[network, default: 0] += 1 }
        }
        let most = counts.values.max() ?? 0
        guard let chosen = all.first(where: { counts[$0.network] == most }) else { return nil }
        let prefix = all.filter { $0.network == chosen.network }.map(\.prefix).min() ?? chosen.prefix
        return (chosen.address.rawValue & mask(prefix), prefix)
    }

    mutating func convert(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        var isPlaced = false
        for network in machine.networks where network.kind == "private_network" {
            guard let place = Self.place(network) else {
                tellUnplaced(network)
                continue
            }
            let isInside = subnet.map { place.address.rawValue & Self.mask($0.prefix) == $0.network } ?? false
            guard isInside, !isPlaced else {
                remarks.dropped(
                    "private_network \(place.address)",
                    "an environment has one network here: '\(result.name)' has no place in this one", at: network.line)
                continue
            }
            isPlaced = true
            if let text = network.options.named("ip")?.text, RubyPlaceholder.isIn(text) {
                remarks.changed(
                    "private_network", "\(place.address) is taken, whatever the environment says later",
                    at: network.line)
            }
            guard let subnet, isUsable(place.address, in: subnet) else {
                remarks.changed(
                    "private_network \(place.address)",
                    "the address is the router's or nobody's here: '\(result.name)' gets another", at: network.line)
                continue
            }
            guard taken.insert(place.address.rawValue).inserted else {
                remarks.changed(
                    "private_network \(place.address)",
                    "another machine has the address: '\(result.name)' gets another", at: network.line)
                continue
            }
            let members: [WanderfileValue.Member] = [
                .init(name: "name", value: .plain(Self.name)),
                .init(name: "ip", value: .plain(place.address.description)),
            ]
            result.add(.map(members), to: "networks", line: network.line)
            remarks.taken("private_network", as: "networks: ip: \(place.address)", at: network.line)
            if network.options.named("virtualbox__intnet") != nil {
                remarks.changed("virtualbox__intnet", "all machines share one network", at: network.line)
            }
        }
    }

    private func isUsable(_ address: IPv4Address, in subnet: (network: UInt32, prefix: UInt32)) -> Bool {
        let last = subnet.network | ~Self.mask(subnet.prefix)
        return address.rawValue > subnet.network + 1 && address.rawValue < last
    }

    private func tellUnplaced(_ network: VagrantNetwork) {
        let kind = network.options.named("type")?.symbolOrText
        if kind == "dhcp" || network.options.named("ip") == nil {
            remarks.taken("private_network", as: "the environment's network", at: network.line)
        } else if let unknown = network.options.named("ip")?.unknown {
            remarks.dropped("private_network", unknown.reason, at: network.line)
        } else {
            let text = network.options.named("ip")?.text ?? ""
            remarks.dropped("private_network", "'\(text.prefix(40))' is not an IPv4 address", at: network.line)
        }
    }
}
