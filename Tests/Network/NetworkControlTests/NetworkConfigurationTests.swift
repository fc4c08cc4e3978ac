import JSON
import NetworkAddress
import NetworkControl
import Reporting
import SystemPackage
import Testing

@Suite struct NetworkConfigurationTests {
    static func example() throws -> NetworkConfiguration {
        let subnet = try #require(IPv4Subnet("192.168.56.0/24"))
        let mac = try #require(MACAddress("52:54:00:00:00:01"))
        var configuration = NetworkConfiguration(
            name: "shop", subnet: subnet, internet: false, folder: "/p/.wander/net")
        configuration.machines = [
            MachineAttachment(
                name: "web", mac: mac, address: IPv4Address("192.168.56.10"), hostname: "web.example.test",
                aliases: ["www"], socket: "/p/net.sock", access: "/p/access.sock", transport: .datagram, internet: true)
        ]
        configuration.forwards = [
            PortForward(machine: "web", transport: .udp, bind: "0.0.0.0", hostPort: 5353, guestPort: 53)
        ]
        configuration.lockDescriptor = 3
        return configuration
    }

    @Test("is the same after a way through JSON") func roundTrip() throws {
        let configuration = try Self.example()
        let json = try JSONParser.parse(configuration.json.pretty)
        #expect(try NetworkConfiguration(json: json) == configuration)
    }

    @Test("says which member is wrong", arguments: ["subnet", "mtu", "schema"]) func wrongMember(name: String) throws {
        guard case .object(var members) = try Self.example().json else { return }
        members.removeAll { $0.name == name }
        members.append(JSONMember(name, .string("nonsense")))
        let error = #expect(throws: JSONError.self) { try NetworkConfiguration(json: .object(members)) }
        #expect(error?.summary.contains("network: \(name)") == true)
    }
}
