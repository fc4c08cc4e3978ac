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

/// A project whose machines live without a monitor, a network or an SSH server.
final class LifeFixture {
    let folder: TemporaryFolder
    let store: BoxStore
    let provider = FakeProvider()
    let network = FakeNetwork()
    let guests = FakeGuests()
    let playbooks = FakePlaybooks()

    /// - Parameters:
    ///   - wanderfile: What it says of its machines beside their box, of 1 MiB.
    ///   - bootSector: What the box's disk begins with.
    ///   - cloudInit: Whether the box says that it takes a seed.
    init(
        _ wanderfile: String = "", bootSector: [UInt8] = [UInt8](repeating: 7, count: 510) + [0x55, 0xaa],
        cloudInit: Bool = false
    ) throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder("store"))
        let disk = try folder.file("disk.img", bootSector)
        try OwnedDescriptor.open(disk, .readWrite).truncate(to: 1 << 20)
        var options = BoxStore.AddOptions()
        (options.name, options.version) = (try BoxName("test/disk"), BoxVersion("1"))
        if !cloudInit { options.diskFormat = .raw }
        _ = try store.add(cloudInit ? try Self.cloudBox(disk, in: folder) : disk, options)
        try write(wanderfile)
    }

    /// An archive as an image of a distribution becomes one.
    private static func cloudBox(_ disk: FilePath, in folder: TemporaryFolder) throws -> FilePath {
        let image = folder("cloud.img")
        let raw = try DiskImage.open([DiskLayer(path: disk, format: .raw)], access: .readOnly)
        defer { try? raw.close() }
        try DiskImage.flatten(raw, to: image)
        var description = BoxDescription(architecture: .host, virtualSize: raw.virtualSize)
        (description.cloudInit, description.user) = (true, "debian")
        let contents: [String: BoxWriter.Content] = [
            BoxDescription.fileName: .bytes(Array(description.json.pretty.utf8)), BoxDescription.diskName: .file(image),
        ]
        try BoxWriter(contents).write(to: folder("cloud.box"))
        return folder("cloud.box")
    }

    deinit { try? FileSystem.removeTree(folder.path) }

    /// Replaces the Wanderfile. What ``machine(_:command:)`` returns from then on knows it.
    func write(_ wanderfile: String) throws {
        _ = try folder.file("project/Wanderfile", Array("defaults: { box: test/disk }\n\(wanderfile)\n".utf8))
    }

    func project(_ cancellation: Cancellation? = nil, events: any EventSink = SilentSink()) throws -> Project {
        let options = EnvironmentLoader.Options(workingDirectory: folder("project"))
        var settings = Project.Settings(command: "wander test", programs: "/nowhere")
        settings.knownEnvironments = nil
        let (provider, network, guests, playbooks) = (provider, network, guests, playbooks)
        settings.services = MachineServices(
            choose: { _, _ in ProviderChoice(kind: .emulation, reason: "a test", isFallback: false) },
            provider: { _ in provider }, network: { _ in network },
            guest: { _, journal in FakeGuest(guests, provider, journal) },
            runPlaybook: { try playbooks.run($0, $1, $2) })
        return Project(
            try EnvironmentLoader(options).load(), boxes: store, settings: settings, events: events,
            cancellation: try cancellation ?? Cancellation())
    }

    /// As a command finds it: nothing is kept between two of them but files.
    func machine(_ name: String = "default") throws -> Machine { try project().machine(named: name) }

    func record() throws -> MachineRecord { try machine().existingRecord() }
}
