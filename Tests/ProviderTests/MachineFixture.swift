import BoxFormat
import DiskImage
import EnvFile
import JSON
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A project with one machine and a box of 64 MiB, of which nothing is ever booted: ``Recorder`` stands for the
/// provider. What serves its network ends with the value.
final class MachineFixture {
    /// Remembers what it was to start.
    final class Recorder: MachineProvider {
        nonisolated(unsafe) var plan: LaunchPlan?
        let kind = ProviderKind.emulation

        func start(
            _ plan: LaunchPlan, lock: borrowing OwnedDescriptor, cancellation: Cancellation
        ) throws -> MachineRecord.ProcessIdentity {
            self.plan = plan
            return try #require(MachineRecord.ProcessIdentity.of(currentProcessIdentifier()))
        }
        struct None: Error {}
        func control(_ folder: MachineFolder) throws -> any MachineControl { throw None() }
        func attachConsole(_ folder: MachineFolder, serial: Bool) throws -> OwnedDescriptor { throw None() }
        func resizeConsole(_ folder: MachineFolder, to size: TerminalSize) throws {}
    }

    let folder: TemporaryFolder
    let store: BoxStore
    let project: Project
    let machine: Machine
    let definition: MachineDefinition

    init(events: any EventSink = SilentSink()) throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder("store"))
        _ = try folder.file("project/Wanderfile", Array("box: test/disk\nprovider: emulation\n".utf8))
        let environment = try EnvironmentLoader(EnvironmentLoader.Options(workingDirectory: folder("project"))).load()
        // Beside the test bundle, where the same build has put them.
        let programs = try FileSystem.resolve("/proc/self/exe").removingLastComponent()
        var settings = Project.Settings(command: "wander test", programs: programs)
        settings.knownEnvironments = nil
        project = Project(
            environment, boxes: store, settings: settings, events: events, cancellation: try Cancellation())
        machine = try project.machine(named: "default")
        definition = try #require(machine.definition)
    }

    deinit { try? FileSystem.removeTree(folder.path) }

    /// Puts a box into the store whose disk has `byte` in its boot sector, and nothing else in 64 MiB.
    func addBox(_ byte: UInt8) throws -> Box {
        let disk = try folder.file("disk-\(byte).img", [UInt8](repeating: byte, count: 510) + [0x55, 0xaa])
        try OwnedDescriptor.open(disk, .readWrite).truncate(to: 64 << 20)
        var options = BoxStore.AddOptions()
        options.name = try BoxName("test/disk")
        options.version = BoxVersion("1")
        options.diskFormat = .raw
        return try store.add(disk, options).box
    }

    /// Puts a box into the store with a disk for each of `bytes`, each like that of ``addBox(_:)``.
    /// - Parameter size: What its metadata says of its size, in GiB.
    func addBox(disks bytes: [UInt8], replaces: Bool = false, size: Int = 1) throws -> Box {
        let names = ["box.img", "b.img", "c.img"].prefix(bytes.count)
        let list = names.map { #"{"path": "\#($0)"}"# }.joined(separator: ", ")
        var contents: [String: BoxWriter.Content] = [
            "metadata.json": .bytes(
                Array(#"{"provider": "libvirt", "format": "raw", "virtual_size": \#(size), "disks": [\#(list)]}"#.utf8))
        ]
        for (name, byte) in zip(names, bytes) {
            let disk = try folder.file(name, [UInt8](repeating: byte, count: 510) + [0x55, 0xaa])
            try OwnedDescriptor.open(disk, .readWrite).truncate(to: 64 << 20)
            contents[name] = .file(disk)
        }
        try BoxWriter(contents).write(to: folder("disks.box"), replace: true)
        var options = BoxStore.AddOptions()
        if replaces { options.whenPresent = .replace }
        options.name = try BoxName("test/disks")
        options.version = BoxVersion("1")
        return try store.add(folder("disks.box"), options).box
    }

    func create() throws -> MachineRecord {
        let box = try addBox(1)
        return try machine.exclusively { try Creation(machine).make(from: box, provider: .emulation).record }
    }

    /// Starts the machine with nothing in it. Its network stays.
    /// - Returns: What a provider gets to run.
    @discardableResult
    func launch(_ record: MachineRecord) throws -> LaunchPlan {
        let recorder = Recorder()
        try Launch(machine, machine.journal(record), definition).run(recorder)
        return try #require(recorder.plan)
    }

    /// The same, and takes it out of its network.
    func start(_ record: MachineRecord) throws -> LaunchPlan {
        defer { NetworkPlace(machine: machine).leave() }
        return try launch(record)
    }
}

extension MachineRecord {
    /// The same with other members, as its file would have them.
    func with(_ members: [String: JSONValue]) throws -> MachineRecord {
        let own = (json.objectValue ?? []).map { JSONMember($0.name, members[$0.name] ?? $0.value) }
        #expect(members.keys.allSatisfy { name in own.contains { $0.name == name } })
        return try MachineRecord(.object(own), path: "record.json")
    }
}

extension BlockStorage {
    /// Fills the first sector.
    func writeSector(_ byte: UInt8) throws {
        let bytes = [UInt8](repeating: byte, count: 510) + [0x55, 0xaa]
        try bytes.withUnsafeBytes { buffer in try write(from: buffer, at: 0) }
    }

    /// The first byte of the first sector.
    func readSector() throws -> UInt8 {
        var bytes = [UInt8](repeating: 0, count: 512)
        try bytes.withUnsafeMutableBytes { buffer in try read(into: buffer, at: 0) }
        return bytes[0]
    }
}
