import DiskImage
import JSON
import MonitorControl
import NetworkAddress
import Reporting
import SystemPackage
import Testing

@Suite struct MonitorConfigurationTests {
    private func full() throws -> MonitorConfiguration {
        var configuration = MonitorConfiguration(
            name: "web", memory: 512 << 20, processors: 2,
            start: .kernel(
                .init(
                    "/box/vmlinuz", initialRAMDisk: "/box/initrd.img", commandLine: "console=ttyS0 quiet",
                    cache: "/cache")))
        configuration.disks = [
            .init(
                image: .init(path: "overlay.qcow2", format: .qcow2),
                backing: [.init(path: "/box/disk.img", format: .raw)],
                serial: "root")
        ]
        let address = try #require(MACAddress("52:54:00:0a:34:ff"))
        configuration.networks = [.init(socket: "net.sock", address: address, mtu: 65_520)]
        configuration.shares = [
            .init(tag: "wander-0a1b2c", path: "/home/user/project"),
            .init(tag: "docs", path: "/docs", isReadOnly: true),
        ]
        configuration.consoleLog = "console.log"
        configuration.controlSocket = "control.sock"
        configuration.endRecord = "end.json"
        configuration.lockDescriptor = 3
        configuration.statusDescriptor = 4
        configuration.hasBalloon = false
        return configuration
    }

    @Test("what is written can be read")
    func roundTrip() throws {
        let configuration = try full()
        let text = configuration.json.pretty
        #expect(try MonitorConfiguration(json: JSONParser.parse(text)) == configuration)
    }

    @Test(
        "values out of range and unknown members are refused by name",
        arguments: [
            ("memory", "0"), ("memory", "1048577"), ("processors", "0"), ("processors", "255"),
            ("lockDescriptor", "-1"),
            ("schema", "2"), ("surprise", "1"), ("disks", "[{\"path\":\"x\",\"format\":\"guess\"}]"),
            ("networks", "[{\"socket\":\"s\",\"mac\":\"01:00:00:00:00:00\"}]"),
            ("networks", "[{\"socket\":\"s\",\"mac\":\"52:54:00:12:34\"}]"),
            ("start", "{\"kernel\":\"k\",\"commandLine\":\"a\\u0000b\"}"),
            ("start", "{\"kernel\":7,\"commandLine\":\"\"}"), ("start", "{}"), ("start", "null"),
            ("start", "{\"firmware\":\"f\",\"kernel\":\"k\"}"), ("start", "{\"firmware\":7}"),
            ("shares", "[{\"tag\":\"\",\"path\":\"/a\"}]"),
            ("shares", "[{\"tag\":\"t\",\"path\":\"\"}]"),
            ("shares", "[{\"tag\":\"t\",\"path\":\"/a\"},{\"tag\":\"t\",\"path\":\"/b\"}]"),
            ("shares", "[{\"tag\":\"1234567890123456789012345678901234567\",\"path\":\"/a\"}]"),
            ("shares", "[{\"tag\":\"a\\u0000\",\"path\":\"/a\"}]"),
        ])
    func refused(member: String, value: String) throws {
        var members = try #require(try full().json.objectValue).filter { $0.name != member }
        members.append(JSONMember(member, try JSONParser.parse(value)))
        #expect(throws: ConfigurationError.self) { try MonitorConfiguration(json: .object(members)) }
    }

    @Test("a status line tells a start from a failure, and nothing from both")
    func status() {
        let failure = MonitorStatus.failed(summary: "no", detail: nil, remedy: "do", kind: .hostNotAble)
        #expect(MonitorStatus(line: MonitorStatus.started.json.compact.utf8) == .started)
        #expect(MonitorStatus(line: failure.json.compact.utf8) == failure)
        #expect(MonitorStatus(line: "".utf8) == nil)
    }
}
