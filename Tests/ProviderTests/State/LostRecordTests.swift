import BoxFormat
import Digest
import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// What is there and cannot be read, or is not what it was.
@Suite struct LostRecordTests {
    private let fixture: MachineFixture
    private var folder: MachineFolder { fixture.machine.folder }

    init() throws { fixture = try MachineFixture() }

    @Test("a look-up that fails is an error, not a machine that is not there")
    func failingLookup() throws {
        _ = try fixture.create()
        let disk = try FileSystem.status(folder.disk)?.inode
        try FileSystem.remove(folder.record)
        // A link to itself: stat(2) and open(2) fail with ELOOP, for root too.
        #expect(symlink(folder.record.string, folder.record.string) == 0)
        #expect(throws: SystemError.self) { try fixture.project.store.load("default") }
        #expect(throws: SystemError.self) { try fixture.machine.up(UpOptions()) }
        #expect(throws: SystemError.self) { try fixture.machine.destroy() }
        #expect(try FileSystem.status(folder.disk)?.inode == disk)
        // The others are seen all the same.
        let report = try fixture.machine.status()
        #expect(report.state == .damaged && !report.remarks.isEmpty)
    }

    @Test("a disk without a record is no machine to be made anew")
    func recordMissing() throws {
        let record = try fixture.create()
        let disk = try FileSystem.status(folder.disk)?.inode
        try FileSystem.remove(folder.record)
        let box = try #require(try fixture.store.list().boxes.first)
        #expect {
            try Creation(fixture.machine).make(from: box, provider: record.provider)
        } throws: { error in
            guard case ProviderError.recordMissing("default", _) = error else { return false }
            return true
        }
        #expect(try FileSystem.status(folder.disk)?.inode == disk)
        // It is not a machine that does not exist yet either.
        let report = try fixture.machine.status()
        #expect(report.state == .damaged && report.remarks.first?.contains("record.json is missing") == true)
        #expect(throws: ProviderError.self) { try fixture.machine.halt(.graceful) }
        #expect(throws: ProviderError.self) { try fixture.machine.plan(.asNeeded) }
        #expect(try fixture.machine.destroy().actions == [.destroyed])
        #expect(try fixture.store.uses().isEmpty)
    }

    @Test("a machine whose record is damaged is destroyed, with its process and its use of the box")
    func damaged() throws {
        _ = try fixture.create()
        try AtomicFile.write("{\"schema\": 1", to: folder.record)
        let lock = try OwnedDescriptor.open(folder.livenessLock, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        var options = ChildProcess.Options()
        options.extraDescriptors = [lock.rawValue]
        let child = try ChildProcess.start(["sleep", "60"], options)
        lock.close()
        #expect(try fixture.machine.status().state == .damaged)
        #expect(try fixture.machine.destroy().actions == [.destroyed])
        #expect(try child.wait(milliseconds: 10_000) == .signalled(9))
        #expect(try !FileSystem.exists(folder.path))
        #expect(try fixture.store.uses().isEmpty)
    }

    @Test("a machine runs as long as its recorded process does, though that let its lock go, and halt ends it")
    func lockLetGo() throws {
        let journal = fixture.machine.journal(try fixture.create())
        let child = try ChildProcess.start(["sleep", "60"])
        try journal.write { $0.started(MachineRecord.ProcessIdentity.of(child.identifier)) }
        #expect(try fixture.machine.status().state == .starting)
        #expect(try fixture.machine.halt(.force).actions == [.stopped])
        #expect(try child.wait(milliseconds: 10_000) == .signalled(9))
        #expect(try fixture.machine.status().state == .stopped)
    }

    @Test("a machine is only started over the box that it was made from")
    func otherBox() throws {
        let record = try fixture.create()
        let box = try #require(try fixture.store.list().boxes.first)
        try fixture.store.remove(box.identity, force: true)
        #expect {
            try fixture.start(record)
        } throws: { error in
            guard case ProviderError.boxMissing = error else { return false }
            return true
        }
        _ = try fixture.addBox(2)
        #expect {
            try fixture.start(record)
        } throws: { error in
            guard case ProviderError.boxChanged("default", _, _, _) = error else { return false }
            return true
        }
        try fixture.store.remove(box.identity, force: true)
        _ = try fixture.addBox(1)
        #expect(try fixture.start(record).disks[0].backing.map(\.path) == [box.disk.path])
    }

    @Test("a box that is missing comes back by what the message says, in the version that it had")
    func boxMissing() throws {
        // Its file does not say what it is, as most of Vagrant's do not.
        let file = fixture.folder("project/it's a.box")
        try BoxWriter([
            "metadata.json": .bytes(Array(#"{"provider":"libvirt","format":"raw","virtual_size":1}"#.utf8)),
            "box.img": .bytes([UInt8](repeating: 1, count: 510) + [0x55, 0xaa]),
        ]).write(to: file)
        var options = BoxStore.AddOptions()
        options.name = try BoxName("test/disk")
        options.version = BoxVersion("1.4")
        let box = try fixture.store.add(file, options).box
        let record = try fixture.machine.exclusively {
            try Creation(fixture.machine).make(from: box, provider: .emulation).record
        }
        let lock = """
            {"schema": 1, "boxes": [{"name": "test/disk", "version": "1.4", "architecture": "\(box.architecture)", \
            "sha256": "\(box.digest.hexadecimal)", "source": "./it's a.box"}]}
            """
        try AtomicFile.write(lock, to: fixture.project.lockFile)
        try fixture.store.remove(box.identity, force: true)
        let error = #expect(throws: ProviderError.self) { try fixture.start(record) }
        let remedy = try #require(error?.remedy)
        let command = try #require(remedy.firstRange(of: "wander box add")).lowerBound
        var process = ChildProcess.Options()
        process.directory = fixture.folder("project")
        process.environment = [
            "PATH=\(fixture.project.settings.programs):\(environmentVariable("PATH") ?? "/usr/bin:/bin")",
            "WANDER_HOME=\(fixture.store.root)", "HOME=\(fixture.folder.path)",
        ]
        let added = try ChildProcess.run(["sh", "-c", String(remedy[command...])], process)
        #expect(added.outcome == .exited(0), "\(remedy): \(String(decoding: added.error, as: UTF8.self))")
        #expect(try fixture.start(record).disks[0].backing.map(\.path) == [box.disk.path])
    }

    @Test("what killed commands were writing is cleaned away by the next one; what is being written stays")
    func leftovers() throws {
        _ = try fixture.create()
        let left = folder.path.appending("record.json.0a1b2c3d.tmp")
        let used = folder.path.appending("id_ed25519.ffffffff.tmp")
        for path in [left, used] { try OwnedDescriptor.open(path, [.writeOnly, .create]).writeAll("x") }
        let writer = try OwnedDescriptor.open(used, .readWrite)
        #expect(try OpenFileLock.tryLock(writer, .exclusive))
        _ = try fixture.machine.halt(.force)
        #expect(try !FileSystem.exists(left) && FileSystem.exists(used))
        writer.close()
        _ = try fixture.machine.halt(.force)
        #expect(try !FileSystem.exists(used))
    }
}
