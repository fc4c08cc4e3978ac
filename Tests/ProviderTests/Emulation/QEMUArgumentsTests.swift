import DiskImage
import JSON
import NetworkAddress
import SystemPackage
import Testing

@testable import Provider

@Suite struct QEMUArgumentsTests {
    static func plan(_ box: FilePath = "/store/box.img", kernel: FilePath? = "/store/vmlinuz") -> LaunchPlan {
        LaunchPlan(
            name: "web", folder: MachineFolder(path: "/project/.wander/machines/web", name: "web"), memory: 512 << 20,
            processors: 2,
            disks: [
                .init(
                    top: .init(path: "disk.qcow2", format: .qcow2), backing: [.init(path: box, format: .qcow2)])
            ],
            start: kernel.map { .kernel($0, initrd: "/store/initrd.img", commandLine: "console=ttyS0") }
                ?? .firmware(.bios),
            hardwareAddress: MACAddress(rawValue: 0x5254_0001_0203),
            emulatedProcessor: "qemu64", translationCache: 256 << 20)
    }

    private func value(_ option: String, _ arguments: [String]) -> String? {
        arguments.firstIndex(of: option).map { arguments[$0 + 1] }
    }

    @Test("every image of the chain is named with its format, whatever is written in the overlay")
    func disk() throws {
        // A name with a comma, a quote and a space is one name.
        let text = try #require(
            value("-blockdev", QEMUArguments.make(Self.plan("/sto,re/a \"b\".img"), program: "qemu")))
        let disk = try JSONParser.parse(text)
        #expect(disk["driver"] == "qcow2")
        #expect(disk["file"]?["filename"] == "disk.qcow2")
        #expect(disk["backing"]?["file"]?["filename"] == "/sto,re/a \"b\".img")
        #expect(disk["backing"]?["read-only"] == true)
        #expect(disk["backing"]?["backing"] == .null)
    }

    @Test("another disk comes after the first, and cannot be written where that is said")
    func extraDisks() throws {
        var plan = Self.plan()
        plan.extraDisks = [
            .init(path: "exchange.raw", format: .raw), .init(path: "seed.img", format: .raw, isReadOnly: true),
        ]
        let arguments = QEMUArguments.make(plan, program: "qemu")
        let disks = try arguments.indices.filter { arguments[$0] == "-blockdev" }.map {
            try JSONParser.parse(arguments[$0 + 1])
        }
        #expect(disks.map { $0["file"]?["filename"] } == ["disk.qcow2", "exchange.raw", "seed.img"])
        #expect(disks.map { $0["read-only"] } == [false, false, true])
        #expect(disks.map { $0["file"]?["read-only"] } == [false, false, true])
    }

    @Test("a guest that nobody watches is told when the host's disk is full; others stand still")
    func fullDisk() {
        var plan = Self.plan()
        #expect(QEMUArguments.make(plan, program: "qemu").contains { $0.hasSuffix(",bootindex=1,werror=enospc") })
        plan.waitsForRoom = false
        #expect(QEMUArguments.make(plan, program: "qemu").contains { $0.hasSuffix(",bootindex=1,werror=report") })
    }

    @Test("QEMU's memory is kept down, and nothing of its defaults comes along")
    func machine() {
        let arguments = QEMUArguments.make(Self.plan(), program: "qemu")
        #expect(value("-accel", arguments) == "tcg,thread=multi,tb-size=256")
        #expect(value("-m", arguments) == "512M")
        #expect(
            value("-sandbox", arguments)
                == "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")
        #expect(!QEMUArguments.make(Self.plan(), program: "qemu", hasSandbox: false).contains("-sandbox"))
        #expect(arguments.contains("-nodefaults") && arguments.contains("-no-user-config"))
    }

    @Test("each share is a device behind an inherited connection, and the memory can be passed on")
    func shares() throws {
        #expect(!QEMUArguments.make(Self.plan(), program: "qemu").contains { $0.contains("memory-backend") })
        var plan = Self.plan()
        for place in ["/project", "/srv/data, with a comma"] {
            plan.shares.append(
                MachineShare(tag: MachineShare.tag(for: place), folder: "/a,b", guest: place, isReadOnly: false))
        }
        let arguments = QEMUArguments.make(plan, program: "qemu")
        #expect(arguments.contains("memory-backend-memfd,id=memory,size=536870912,share=on"))
        #expect(value("-machine", arguments)?.hasSuffix(",memory-backend=memory") == true)
        #expect(arguments.contains("socket,id=share0,fd=5") && arguments.contains("socket,id=share1,fd=6"))
        // QEMU opens no log by itself: nothing would bound it.
        #expect(value("-add-fd", arguments) == "fd=7,set=1")
        #expect(arguments.filter { $0.contains(".log") }.isEmpty)
        let devices = arguments.filter { $0.hasPrefix("vhost-user-fs-pci,") }
        #expect(devices.count == 2)
        // Tags are safe whatever the path holds.
        #expect(devices.allSatisfy { $0.split(separator: ",").count == 4 })
    }

    @Test("a share whose server has gone is known by its number, whatever else QEMU lists")
    func lostShares() {
        let reply: JSONValue = [
            ["label": "share1", "filename": "disconnected:fd:6", "frontend-open": true],
            ["label": "share0", "filename": "fd:5", "frontend-open": true],
            ["label": "console", "filename": "disconnected:unix:run/serial.sock,server=on", "frontend-open": true],
            ["label": "sharex", "filename": "disconnected:"], ["label": 7], "share2",
        ]
        #expect(QEMUControl.lostShares(reply) == [1])
        #expect(QEMUControl.lostShares(.null).isEmpty)
    }

    @Test("a guest that QEMU stopped for want of room stands still", arguments: ["paused", "io-error", "running"])
    func standingStill(status: String) {
        #expect(QEMUControl.standsStill(["status": .string(status), "running": false]) == (status != "running"))
    }

    @Test("a busy host's emulated kernel does not count its timer's ticks, nor does its first program hear of that")
    func timer() {
        var plan = Self.plan()
        plan.start = .kernel("/k", initrd: nil, commandLine: "console=ttyS0 init=/bin/sh -- /dev/vdb")
        #expect(
            value("-append", QEMUArguments.make(plan, program: "qemu"))
                == "no_timer_check console=ttyS0 init=/bin/sh -- /dev/vdb")
        plan.start = .kernel("/k", initrd: nil, commandLine: "no_timer_check quiet")
        #expect(value("-append", QEMUArguments.make(plan, program: "qemu")) == "no_timer_check quiet")
    }

    @Test("a box without a kernel boots by its boot loader")
    func bootLoader() {
        let arguments = QEMUArguments.make(Self.plan(kernel: nil), program: "qemu")
        #expect(!arguments.contains("-kernel") && !arguments.contains("-append") && !arguments.contains("-initrd"))
    }
}
