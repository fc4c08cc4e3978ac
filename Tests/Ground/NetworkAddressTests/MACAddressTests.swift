import NetworkAddress
import Testing

@Suite struct MACAddressTests {
    @Test("an Ethernet address reads and prints the same") func mac() throws {
        let mac = try #require(MACAddress("52:54:00:ab:CD:0f"))
        #expect(mac.description == "52:54:00:ab:cd:0f")
        #expect(!mac.isMulticast)
        #expect(MACAddress("01:00:5e:00:00:01")?.isMulticast == true)
        #expect(MACAddress("53:54:00:12:34:56")?.isMulticast == true)
    }

    @Test("a random address names one station, and hardly the same one again") func random() {
        let some = (0..<64).map { _ in MACAddress.random() }
        #expect(some.allSatisfy { !$0.isMulticast && $0.description.hasPrefix("52:54:00:") })
        #expect(Set(some).count > 60)
    }

    @Test(
        "refuses what is not exactly an Ethernet address",
        arguments: [
            "", "52:54:00:12:34", "52:54:00:12:34:5", "52-54-00-12-34-56", "52:54:00:12:34:+5", "52:54:00:12:34:56:78",
            ":::::",
        ])
    func invalidMAC(text: String) { #expect(MACAddress(text) == nil) }
}
