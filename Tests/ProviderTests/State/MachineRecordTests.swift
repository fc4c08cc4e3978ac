import JSON
import LinuxSystem
import NetworkAddress
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct MachineRecordTests {
    static func record(_ name: String = "web") -> MachineRecord {
        var record = MachineRecord(
            creating: name, identifier: "0123456789abcdef", provider: .emulation,
            box: .init(name: "debian/12", version: "12.5", architecture: "amd64", digest: "sha256:00"),
            hardwareAddress: MACAddress(rawValue: 0x5254_0001_0203), user: "vagrant", seed: .login,
            at: 1000)
        var share = MachineShare(
            tag: "wander-0123456789ab", folder: "/home/me/shop", guest: "/project", isReadOnly: true)
        (share.device, share.inode) = (.max, 7)
        record.stopped()
        record.starting(by: .emulation, ["cpus": 2], shares: [share], start: .firmware(.bios))
        record.joined(
            internet: false, subnet: "10.77.0.0/24",
            forwards: [.init(name: "site", transport: .tcp, bind: "127.0.0.1", hostPort: 8080, guestPort: 80)])
        record.started(.init(identifier: 4242, started: "99"))
        record.greeted("ssh-ed25519 AAAA")
        record.ready()
        record.initialized()
        record.adapting()
        record.adapted("sha")
        record.mountingShares()
        record.mountedShares()
        record.provisioned([["name": "step", "state": "succeeded"]])
        return record
    }

    @Test("a record reads back as it was written")
    func roundTrip() throws {
        let record = Self.record()
        #expect(record.shares.first?.device == .max)
        #expect(try MachineRecord(try JSONParser.parse(record.json.pretty), path: "record.json") == record)
    }

    @Test("a record of a later version is refused by name, and changes nothing")
    func newerSchema() throws {
        var members = Self.record().json.objectValue ?? []
        members[0] = JSONMember("schema", .integer(MachineRecord.schema + 1))
        #expect {
            try MachineRecord(.object(members), path: "record.json")
        } throws: { error in
            guard case ProviderError.newerState(_, let schema) = error else { return false }
            return schema == MachineRecord.schema + 1
        }
    }

    @Test(
        "a record that a hand has edited is an error, never a trap",
        arguments: [
            ("stage", .string("flying")), ("provider", 7), ("process", ["identifier": 1, "started": "x"]),
            ("process", ["identifier": 99_999_999_999, "started": "x"]), ("forwards", [["host": 70000]]),
            ("shares", [["tag": "x"]]), ("sharesMounted", "yes"),
            ("box", .null), ("layers", ["../disk"]), ("layers", [""]), ("layers", [7]), ("needsLayer", 1),
            ("snapshots", [["name": "x"]]), ("snapshots", ["x"]),
            ("seed", "key"), ("seed", 1), ("initialized", "yes"),
            ("created", "yesterday"), ("identifier", .null),
        ] as [(String, JSONValue)])
    func editedRecord(member: String, value: JSONValue) {
        let members = (Self.record().json.objectValue ?? []).map { $0.name == member ? JSONMember(member, value) : $0 }
        #expect(throws: (any Error).self) { try MachineRecord(.object(members), path: "record.json") }
    }

    @Test("the store says which file is damaged, and nil where there is no machine")
    func store() throws {
        let folder = try TemporaryFolder()
        let store = MachineStore(layout: ProjectLayout(project: folder.path))
        #expect(try store.load("web") == nil)
        #expect(try !FileSystem.exists(store.layout.state), "reading makes nothing")
        let record = Self.record()
        try store.save(record)
        #expect(try store.load("web") == record)
        try AtomicFile.write("{\"schema\": 1", to: store.layout.machine("web").record)
        #expect {
            try store.load("web")
        } throws: { error in
            guard case ProviderError.damagedRecord(let path, _) = error else { return false }
            return path == store.layout.machine("web").record
        }
    }
}
