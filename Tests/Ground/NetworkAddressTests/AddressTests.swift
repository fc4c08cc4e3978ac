import NetworkAddress
import Testing

@Suite struct AddressTests {
    @Test("an IPv4 address reads and prints the same") func roundTrip() throws {
        let address = try #require(IPv4Address("10.77.0.255"))
        #expect(address.rawValue == 0x0a4d_00ff)
        #expect(address.description == "10.77.0.255")
    }

    @Test(
        "refuses what is not exactly an IPv4 address",
        arguments: ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", " 1.2.3.4", "1.2.3.+4", "1..2.3", "a.b.c.d"])
    func invalidAddress(text: String) { #expect(IPv4Address(text) == nil) }

    @Test("a subnet knows its gateway and what machines may have") func subnet() throws {
        let subnet = try #require(IPv4Subnet("10.77.0.0/24"))
        #expect(subnet.gateway == IPv4Address("10.77.0.1"))
        #expect(subnet.broadcast == IPv4Address("10.77.0.255"))
        #expect(subnet.mask == IPv4Address("255.255.255.0"))
        #expect(subnet.canHold(IPv4Address(rawValue: 0x0a4d_0002)))
        for text in ["10.77.0.0", "10.77.0.1", "10.77.0.255", "10.77.1.2"] {
            let address = try #require(IPv4Address(text))
            #expect(!subnet.canHold(address))
        }
    }

    @Test(
        "refuses blocks with host bits, too large or too small",
        arguments: ["10.77.0.1/24", "10.0.0.0/8", "10.0.0.0/30", "10.0.0.0", "10.0.0.0/024", "/24"])
    func invalidSubnet(text: String) { #expect(IPv4Subnet(text) == nil) }
}
