import Glibc
import JSON
import Testing

@testable import Provider

@Suite struct MachineUsageTests {
    private static func device(_ name: String, _ kind: String, _ counters: [(String, Int64)]) -> JSONValue {
        [
            "name": .string(name), "kind": .string(kind), "stopped": false, "faults": [],
            "counters": .object(counters.map { JSONMember($0.0, .integer($0.1)) }),
        ]
    }

    private static func reply(reportAge: Int64) -> JSONValue {
        [
            "ok": true,
            "devices": [
                device("disk0", "block", [("reads", 2), ("readBytes", 8192), ("writtenBytes", 512)]),
                device("net0", "network", [("receivedBytes", 1500), ("sentBytes", 60)]),
                device(
                    "balloon", "balloon",
                    [
                        ("discardedBytes", 4096), ("reportAgeMilliseconds", reportAge), ("guestTotalBytes", 1 << 29),
                        ("guestAvailableBytes", 1 << 28),
                    ]),
                device("entropy", "entropy", []),
            ],
        ]
    }

    @Test("a monitor's counts, by kind of device")
    func monitor() {
        let usage = MachineUsage(monitorStatistics: Self.reply(reportAge: 3))
        #expect(usage.disks == [.init(name: "disk0", readBytes: 8192, writtenBytes: 512)])
        #expect(usage.networks == [.init(name: "net0", receivedBytes: 1500, sentBytes: 60)])
        #expect(usage.memory == .init(guestTotal: 1 << 29, guestAvailable: 1 << 28, givenBack: 4096))
        #expect(usage.stoppedDevices.isEmpty)
        #expect(usage.json["disks"]?.arrayValue?.first?["readBytes"] == 8192)
        #expect(usage.json["memory"]?["residentBytes"]?.isNull == true)
    }

    @Test("what a guest said long ago is not what it has now")
    func oldReport() {
        let usage = MachineUsage(monitorStatistics: Self.reply(reportAge: 2_001))
        #expect(usage.memory == .init(givenBack: 4096))
    }

    @Test("a device that its driver stopped is named; what is missing or negative is left out")
    func incomplete() {
        var broken = Self.device("net0", "network", [("receivedBytes", -1), ("sentBytes", 60)])
        #expect(MachineUsage(monitorStatistics: ["devices": [broken]]) == MachineUsage())
        broken = ["name": "disk0", "kind": "block", "stopped": true, "counters": [:]]
        #expect(MachineUsage(monitorStatistics: ["devices": [broken, 7]]).stoppedDevices == ["disk0"])
        #expect(MachineUsage(monitorStatistics: 7) == MachineUsage())
    }

    @Test("QEMU's counts of its disks, and nothing that it does not count")
    func emulator() {
        let reply: JSONValue = [
            ["device": "", "stats": ["rd_bytes": 1024, "wr_bytes": 2048, "rd_operations": 1]],
            ["device": "", "stats": [:]],
        ]
        let usage = MachineUsage(blockStatistics: reply)
        #expect(usage.disks == [.init(name: "disk0", readBytes: 1024, writtenBytes: 2048)])
        #expect(usage.networks.isEmpty && usage.memory == .init())
    }

    @Test("a process's resident memory, and none of one that is gone")
    func resident() throws {
        let own = try #require(MachineRecord.ProcessIdentity.of(getpid()))
        #expect(try #require(own.residentBytes) > 1 << 20)
        #expect(MachineRecord.ProcessIdentity(identifier: own.identifier, started: "0").residentBytes == nil)
    }
}
