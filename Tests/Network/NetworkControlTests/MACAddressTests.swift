import NetworkControl
import Testing

@Suite struct MACAddressTests {
    @Test("an Ethernet address reads and prints the same") func mac() throws {
        let mac = try #require(MACAddress("52:54:00:ab:CD:0f"))
        #expect(mac.description == "52:54:00:ab:cd:0f")
        #expect(!mac.isMulticast)
        #expect(MACAddress("01:00:5e:00:00:01")?.isMulticast == true)
    }

    @Test(
        "refuses what is not exactly an Ethernet address",
        arguments: ["", "52:54:00:12:34", "52:54:00:12:34:5", "52-54-00-12-34-56", "52:54:00:12:34:+5"])
    func invalidMAC(text: String) { #expect(MACAddress(text) == nil) }
}
