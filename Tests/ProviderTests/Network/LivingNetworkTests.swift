import EnvFile
import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A network that starts under machines that are there already.
@Suite struct LivingNetworkTests {
    private let fixture: MachineFixture

    init() throws { fixture = try MachineFixture() }

    /// Holds a machine's lock, as its process would.
    private final class Life {
        private let lock: OwnedDescriptor
        init(_ folder: MachineFolder) throws {
            try FileSystem.makeDirectory(folder.path)
            lock = try OwnedDescriptor.open(folder.livenessLock, [.readWrite, .create])
            #expect(try OpenFileLock.tryLock(lock, .exclusive))
        }
    }

    /// The same project by another Wanderfile.
    private func project(_ wanderfile: String, known: KnownEnvironments? = nil) throws -> Project {
        _ = try fixture.folder.file("project/Wanderfile", Array(wanderfile.utf8))
        let options = EnvironmentLoader.Options(workingDirectory: fixture.folder("project"))
        var settings = fixture.project.settings
        settings.knownEnvironments = known
        return Project(
            try EnvironmentLoader(options).load(), boxes: fixture.store, settings: settings, events: SilentSink(),
            cancellation: try Cancellation())
    }

    @Test(
        "a machine that is only starting, or whose address does not fit any more, leaves the others their network",
        arguments: [MachineRecord.Stage.stopped, .starting, .running])
    func neighbour(stage: MachineRecord.Stage) throws {
        let record = try fixture.create()
        let other = try record.with([
            "name": "other", "hardwareAddress": "52:54:00:00:00:01", "stage": .string(stage.rawValue),
            "definition": ["networks": [["name": "nat", "ip": "192.168.7.7"]]],
        ])
        let folder = fixture.project.layout.machine("other")
        let life = try Life(folder)
        if stage == .running { try folder.prepareRun() }
        try fixture.project.store.save(other)
        defer { withExtendedLifetime(life) {} }
        try fixture.launch(record)
        #expect(fixture.project.networkStatus()?.machines.map(\.name) == ["default"])
        NetworkPlace(machine: fixture.machine).leave()
    }

    @Test("a network that is started again is what its machines were started with, whatever the Wanderfile says now")
    func changedWanderfile() throws {
        let record = try fixture.create()
        _ = try fixture.start(record)
        let life = try Life(fixture.machine.folder)
        defer { withExtendedLifetime(life) {} }
        let changed = try project(
            "box: test/disk\nprovider: emulation\nnetworks: { nat: { subnet: 10.9.0.0/24, internet: false } }\n")
        var configuration = try changed.networkConfiguration()
        #expect(configuration.subnet == IPv4Subnet("10.9.0.0/24") && !configuration.internet)
        changed.addLivingMachines(to: &configuration)
        #expect(configuration.subnet == IPv4Subnet(NetworkConfiguration.defaultSubnet))
        #expect(configuration.machines.map(\.internet) == [true])
    }

    @Test("a port of a machine that the Wanderfile no longer has is said to be its, with how to stop it")
    func formerMachine() throws {
        let record = try fixture.create()
        try fixture.launch(record)
        defer { NetworkPlace(machine: fixture.machine).leave() }
        var client = try NetworkClient.connect(folder: fixture.project.layout.network)
        let port = try client.add(PortForward(machine: "default", hostPort: 0, guestPort: 80))
        func error(_ machines: String) throws -> ProviderError? {
            let renamed = try project("defaults: { box: test/disk, provider: emulation }\nmachines: { \(machines) }\n")
            let machine = try renamed.machine(named: "web")
            return #expect(throws: ProviderError.self) {
                try HostPortCheck(machine).run(try #require(machine.definition))
            }
        }
        let former = try error("web: { ports: [\"\(port):80\"] }")
        #expect(
            former?.summary.hasSuffix("is taken by default, which runs although the Wanderfile no longer has it")
                == true,
            "\(former?.summary ?? "")")
        #expect(former?.remedy?.hasPrefix("Stop it: wander halt default\n") == true, "\(former?.remedy ?? "")")
        let present = try error("web: { ports: [\"\(port):80\"] }, default: {}")
        #expect(present?.summary.hasSuffix("is taken by default of this environment") == true)
        #expect(present?.remedy?.hasPrefix("If it no longer needs the port: wander reload default\n") == true)
    }

    @Test("a port that another environment forwards is said to be its machine's")
    func takenPort() throws {
        let record = try fixture.create()
        try fixture.launch(record)
        var client = try NetworkClient.connect(folder: fixture.project.layout.network)
        let port = try client.add(PortForward(machine: "default", hostPort: 0, guestPort: 80))
        let known = KnownEnvironments(folder: fixture.folder("known"))
        try known.remember(fixture.project.layout, name: "project")
        // Another project, which wants the port too.
        _ = try fixture.folder.file(
            "second/Wanderfile", Array("box: test/disk\nports: [\"\(port):80\"]\n".utf8))
        var settings = fixture.project.settings
        settings.knownEnvironments = known
        let second = Project(
            try EnvironmentLoader(EnvironmentLoader.Options(workingDirectory: fixture.folder("second"))).load(),
            boxes: fixture.store, settings: settings, events: SilentSink(), cancellation: try Cancellation())
        let machine = try second.machine(named: "default")
        let error = #expect(throws: ProviderError.self) {
            try HostPortCheck(machine).run(try #require(machine.definition))
        }
        #expect(
            error?.summary.hasSuffix("is taken by default of the environment in \(fixture.project.layout.project)")
                == true,
            "\(error?.summary ?? "")")
        NetworkPlace(machine: fixture.machine).leave()
    }
}
