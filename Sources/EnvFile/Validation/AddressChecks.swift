import NetworkAddress
import YAML

/// The fixed addresses of the machines against each other and against their network, which is made around them where
/// the file gives it no subnet.
struct AddressChecks {
    let problems: Problems
    /// Where each machine is named.
    let marks: [String: Mark]
    let origins: [String: Mark]

    func check(_ environment: inout Environment) {
        let places = environment.machines.flatMap { machine in
            machine.networks.compactMap(\.address).map { (machine: machine.name, address: $0) }
        }
        guard let first = places.first, !environment.networks.isEmpty else { return }
        let written = environment.networks[0].subnet
        guard let subnet = written ?? Self.subnet(around: first.address) else { return }
        environment.networks[0].subnet = subnet
        var owners: [IPv4Address: String] = [:]
        for place in places {
            let mark = origins["machines.\(place.machine).networks[0].ip"] ?? marks[place.machine]
            guard place.address != subnet.gateway else {
                problems.report(
                    "the address \(place.address) belongs to the network itself",
                    hint: "The first address is the router and the name server.", at: mark)
                continue
            }
            guard subnet.canHold(place.address) else {
                let name = environment.networks[0].name
                problems.report(
                    "the address \(place.address) is not one of the network \(subnet)",
                    hint: written == nil
                        ? "That is the network around \(first.address). For a wider one, write at the top: "
                            + "'networks: { \(name): { subnet: ... } }'." : nil, at: mark)
                continue
            }
            if let owner = owners.updateValue(place.machine, forKey: place.address) {
                problems.report(
                    "'\(owner)' and '\(place.machine)' have the same address \(place.address)", at: mark)
            }
        }
    }

    private static func subnet(around address: IPv4Address) -> IPv4Subnet? {
        IPv4Subnet("\(IPv4Address(rawValue: address.rawValue & ~0xff))/24")
    }
}
