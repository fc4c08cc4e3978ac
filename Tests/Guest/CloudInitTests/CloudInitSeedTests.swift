import JSON
import NetworkAddress
import SSH
import Testing

@testable import CloudInit

@Suite struct CloudInitSeedTests {
    private static let key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f wander web"

    private func seed(_ userData: [UInt8]? = nil) throws -> CloudInitSeed {
        CloudInitSeed(
            instance: "wander-0123", hostname: "www.shop.test", user: "dev",
            keys: [try SSHPublicKey(parsing: Self.key)],
            hardwareAddress: try #require(MACAddress("52:54:00:12:34:56")), userData: userData)
    }

    private func json(_ name: String, _ seed: CloudInitSeed) throws -> JSONValue {
        var text = try #require(seed.files[name])[...]
        if text.starts(with: "#cloud-config\n".utf8) { text = text.dropFirst("#cloud-config\n".utf8.count) }
        return try JSONParser.parse(Array(text))
    }

    @Test("the key and the name are the machine's own")
    func metaData() throws {
        let metaData = try json("meta-data", try seed())
        #expect(metaData["instance-id"] == "wander-0123")
        #expect(metaData["local-hostname"] == "www.shop.test")
        #expect(metaData["public-keys"] == [.string(Self.key)])
    }

    @Test("the card is told by its address, and keeps its name")
    func network() throws {
        let network = try json("network-config", try seed())
        #expect(network["version"] == 2)
        let card = try #require(network["ethernets"]?.objectValue?.first?.value)
        #expect(card["match"]?["macaddress"] == "52:54:00:12:34:56")
        #expect(card["dhcp4"] == true && card["set-name"] == nil)
    }

    @Test("what wander wants is below what a team wants, which is handed over byte for byte")
    func userData() throws {
        let script = Array("#!/bin/sh\nprintf '\\377'\n".utf8) + [0xff, 0]
        #expect(try seed(script).files["user-data"] == script)
        #expect(try seed().files["user-data"] == [])
        #expect(try #require(seed().files["vendor-data"]).starts(with: "#cloud-config\n".utf8))
        #expect(try json("vendor-data", try seed(script))["user"]?["name"] == "dev")
    }
}
