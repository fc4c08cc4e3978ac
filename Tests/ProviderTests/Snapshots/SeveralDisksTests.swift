import BoxFormat
import DiskImage
import JSON
import LinuxSystem
import MonitorControl
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A machine whose box has more than one disk: they live, are saved, come back and are packed together.
@Suite struct SeveralDisksTests {
    private let fixture: MachineFixture
    private var machine: Machine { fixture.machine }
    private var folder: MachineFolder { machine.folder }

    init() throws {
        fixture = try MachineFixture()
        let box = try fixture.addBox(disks: [1, 2, 3])
        _ = try machine.exclusively { try Creation(machine).make(from: box, provider: .emulation) }
    }

    private var stacks: [LayerStack] {
        get throws { MachineDisks(machine, try machine.existingRecord()).stacks }
    }

    /// Writes as a guest does, to every disk: `byte` and those after it.
    private func write(_ byte: UInt8) throws {
        let record = try machine.existingRecord()
        for (index, stack) in try stacks.enumerated() {
            let disk = try DiskImage.open(try stack.own(record), access: .readWrite)
            try disk.writeSector(byte + UInt8(index))
            try disk.close()
        }
    }

    private func read() throws -> [UInt8] {
        let record = try machine.existingRecord()
        return try stacks.map { stack in
            let disk = try DiskImage.open(try stack.all(record), access: .readOnly)
            defer { try? disk.close() }
            return try disk.readSector()
        }
    }

    @Test("a guest gets each of its box's disks in their order, under a layer of its own")
    func plan() throws {
        let record = try machine.existingRecord()
        #expect(record.diskCount == 3 && record.json["schema"] == 3)
        let plan = try fixture.start(record)
        #expect(plan.disks.map(\.top.path) == ["disk.qcow2", "disk-1.qcow2", "disk-2.qcow2"])
        #expect(plan.disks.map { $0.backing.last?.path.lastComponent } == ["box.img", "b.img", "c.img"])
        #expect(try read() == [1, 2, 3])
    }

    @Test("each disk is looked at and changed by the name that the guest has for it")
    func named() throws {
        for (name, size) in [("vda", UInt64(80 << 20)), ("vdc", 96 << 20)] {
            let disk = try MachineDisk(machine, named: name)
            try disk.change { layers in
                let storage = try DiskImage.open(layers, access: .readWrite)
                try storage.resize(to: size)
                try storage.close()
            }
        }
        let sizes = try [nil, "vdb", "vdc"].map { name in
            try DiskImage.open(MachineDisk(machine, named: name).layers(), access: .readOnly).virtualSize
        }
        #expect(sizes == [80 << 20, 64 << 20, 96 << 20])
        for name in ["vdd", "", "sda", "vd"] {
            #expect {
                try MachineDisk(machine, named: name)
            } throws: { error in
                guard case ProviderError.noSuchDisk("default", name, ["vda", "vdb", "vdc"]) = error else {
                    return false
                }
                return true
            }
        }
    }

    @Test("a snapshot is of all disks, and what is restored is all of them")
    func snapshot() throws {
        try write(10)
        _ = try machine.saveSnapshot("a", replaces: false)
        try write(20)
        #expect(try read() == [20, 21, 22])
        _ = try machine.restoreSnapshot("a")
        #expect(try read() == [10, 11, 12])
        try write(30)
        _ = try machine.saveSnapshot("b", replaces: false)
        // Nothing needs the two layers below any longer: they become one, on each disk.
        _ = try machine.deleteSnapshot("a")
        let record = try machine.existingRecord()
        #expect(record.layers.count == 1)
        #expect(try folder.layerFiles().count == 3)
        #expect(try read() == [30, 31, 32])
    }

    @Test("after a save that was interrupted between two disks, each disk has a layer of its own and its contents")
    func interruptedSave() throws {
        try write(40)
        // The record names the layer, and the second disk's new one cannot be made.
        let obstacle = folder.path.appending("disk.new")
        try FileSystem.makeDirectory(obstacle)
        #expect(throws: (any Error).self) { _ = try machine.saveSnapshot("a", replaces: false) }
        try FileSystem.removeTree(obstacle)
        let record = try machine.existingRecord()
        _ = try fixture.start(record)
        for stack in try stacks {
            let frozen = try FileSystem.status(stack.file(try #require(record.layers.first)))?.inode
            #expect(try FileSystem.status(stack.top)?.inode != frozen)
        }
        #expect(try read() == [40, 41, 42])
    }

    @Test("a snapshot that lacks one disk's file is refused before anything is stopped or changed")
    func damage() throws {
        try write(50)
        let saved = try machine.saveSnapshot("a", replaces: false)
        try write(60)
        try FileSystem.remove(folder.layer(try #require(saved.layers.first), disk: 2))
        #expect(throws: SnapshotError.self) { _ = try machine.restoreSnapshot("a") }
        #expect(try machine.existingRecord().layers == saved.layers)
    }

    @Test("a box that differs in its second disk alone does not take the place of one that a machine is made on")
    func replaced() throws {
        #expect(throws: BoxError.self) { _ = try fixture.addBox(disks: [1, 9, 3], replaces: true) }
        // The same disks in another archive do.
        let again = try fixture.addBox(disks: [1, 2, 3], replaces: true, size: 2)
        #expect(try machine.box(of: try machine.existingRecord()) == again)
    }

    @Test("monitors have room for every disk that a box may have, and for wander's own")
    func limit() { #expect(Box.diskLimit + 2 <= MonitorConfiguration.diskLimit) }

    @Test("packed as it is, the box has all disks, and its machines get them again")
    func package() throws {
        try write(70)
        var options = PackageOptions(output: fixture.folder("out.box"))
        options.name = try BoxName("test/again")
        options.keepsIdentity = true
        _ = try machine.package(options)
        let box = try fixture.store.add(options.output, BoxStore.AddOptions()).box
        #expect(box.disks.count == 3)
        let contents = try box.disks.map { disk in
            let image = try DiskImage.open([DiskLayer(path: disk.path, format: disk.format)], access: .readOnly)
            defer { try? image.close() }
            return try image.readSector()
        }
        #expect(contents == [70, 71, 72])
    }

    @Test("a thin box of several disks is refused by name, and so is one whose identity would stay on some of them")
    func refused() throws {
        #expect(throws: PackageError.identityOnSeveralDisks(machine: "default")) {
            _ = try machine.package(PackageOptions(output: fixture.folder("out.box")))
        }
        var options = PackageOptions(output: fixture.folder("out.box"))
        options.isThin = true
        options.keepsIdentity = true
        #expect(throws: PackageError.thinOfSeveralDisks(machine: "default")) { _ = try machine.package(options) }
    }
}
