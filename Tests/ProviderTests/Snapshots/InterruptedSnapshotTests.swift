import DiskImage
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A snapshot that was interrupted between its record and the end of its work.
@Suite struct InterruptedSnapshotTests {
    private let fixture: MachineFixture
    private var folder: MachineFolder { fixture.machine.folder }

    init() throws {
        fixture = try MachineFixture()
        _ = try fixture.create()
    }

    /// Runs `body` while no new layer can be made for the disk, as with a full file system.
    private func withoutRoom(_ body: () throws -> Void) throws {
        let obstacle = folder.path.appending("disk.new")
        try FileSystem.makeDirectory(obstacle)
        #expect(throws: (any Error).self) { try body() }
        try FileSystem.removeTree(obstacle)
    }

    private func inode(_ path: FilePath) throws -> UInt64? { try FileSystem.status(path)?.inode }

    /// Writes as a guest does.
    private func write(_ byte: UInt8) throws {
        let disk = try DiskImage.open(try MachineDisk(fixture.machine).layers(), access: .readWrite)
        try disk.writeSector(byte)
        try disk.close()
    }

    private func resizeDisk() throws {
        try MachineDisk(fixture.machine).change { layers in
            let disk = try DiskImage.open(layers, access: .readWrite)
            try disk.resize(to: 128 << 20)
            try disk.close()
        }
    }

    private func read() throws -> UInt8 {
        let disk = try DiskImage.open(try MachineDisk(fixture.machine).layers(), access: .readOnly)
        defer { try? disk.close() }
        return try disk.readSector()
    }

    @Test("after an interrupted save, a start gives the guest a layer of its own over the frozen one")
    func save() throws {
        try write(7)
        try withoutRoom { _ = try fixture.machine.saveSnapshot("a", replaces: false) }
        let record = try fixture.machine.existingRecord()
        let frozen = folder.layer(try #require(record.layers.first))
        #expect(try inode(folder.disk) == inode(frozen), "interrupted where this test means it to be")
        let plan = try fixture.start(record)
        #expect(plan.disks[0].top.path == "disk.qcow2")
        #expect(plan.disks[0].backing.first?.path == frozen && plan.disks[0].backing.count == 2)
        #expect(try inode(folder.disk) != inode(frozen))
        #expect(try read() == 7)
    }

    @Test("after an interrupted restore, a start gives the guest what was restored, and a later save keeps what it did")
    func restore() throws {
        try write(7)
        _ = try fixture.machine.saveSnapshot("a", replaces: false)
        try write(8)
        _ = try fixture.machine.saveSnapshot("b", replaces: false)
        try write(9)
        try withoutRoom { _ = try fixture.machine.restoreSnapshot("a") }
        let record = try fixture.machine.existingRecord()
        #expect(record.needsLayer)
        let plan = try fixture.start(record)
        let below = try LayerStack(fixture.machine).below(record)
        #expect(plan.disks[0].backing.map(\.path) == below.map(\.path))
        #expect(try !fixture.machine.existingRecord().needsLayer)
        #expect(try read() == 7)
        try write(10)
        _ = try fixture.machine.saveSnapshot("c", replaces: false)
        #expect(try read() == 10)
    }

    @Test("a disk is made larger in its own layer, never in a frozen one")
    func resize() throws {
        try withoutRoom { _ = try fixture.machine.saveSnapshot("a", replaces: false) }
        let record = try fixture.machine.existingRecord()
        let frozen = folder.layer(try #require(record.layers.first))
        let before = try FileSystem.read(frozen)
        #expect(throws: SnapshotError.incompleteDisk(machine: "default")) {
            try LayerStack(fixture.machine).own(record)
        }
        try resizeDisk()
        #expect(try FileSystem.read(frozen) == before)
        let disk = try DiskImage.open(try MachineDisk(fixture.machine).layers(), access: .readOnly)
        #expect(disk.virtualSize == 128 << 20)
        try disk.close()
    }

    @Test("while something holds the machine's lock, nothing is done to its disk")
    func alive() throws {
        _ = try fixture.machine.saveSnapshot("a", replaces: false)
        let record = try fixture.machine.existingRecord()
        let lock = try OwnedDescriptor.open(folder.livenessLock, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        let disk = try inode(folder.disk)
        #expect(throws: ProviderError.self) { try fixture.start(record) }
        #expect(throws: SnapshotError.self) { try resizeDisk() }
        #expect(try inode(folder.disk) == disk)
        lock.close()
    }
}
