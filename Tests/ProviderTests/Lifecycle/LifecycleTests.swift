import BoxFormat
import JSON
import LinuxSystem
import Provisioning
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// Machines' lives, each command as a process of its own would run it.
@Suite struct LifecycleTests {
    @Test("up makes, starts and provisions; up again does nothing; destroy leaves nothing")
    func life() throws {
        // Below those that the kernel gives to whoever asks for any.
        let port = UInt16.random(in: 20_000...32_000)
        let life = try LifeFixture("provision: [{ name: step, run: make }]\nports: [\"\(port):80\"]")
        let made = try life.machine().up(UpOptions())
        #expect(made.actions == [.created, .started, .provisioned])
        #expect(made.forwards.map(\.hostPort) == [port] && life.network.forwards == [port])
        #expect(life.guests.done == ["login", "step step", "probes"])
        #expect(try life.machine().state().state == .running)
        life.guests.forget()
        #expect(try life.machine().up(UpOptions()).actions == [.unchanged])
        #expect(life.guests.done.isEmpty)
        #expect(try life.machine().destroy().actions == [.destroyed])
        #expect(try life.machine().state().state == .notCreated)
        #expect(life.network.machines.isEmpty)
        #expect(try life.store.uses().isEmpty)
        #expect(try life.machine().destroy().actions == [.unchanged])
    }

    @Test("a halted machine keeps its disk and its steps, and starts again with its own key")
    func halt() throws {
        let life = try LifeFixture("provision: [{ name: step, run: make }]")
        _ = try life.machine().up(UpOptions())
        let disk = try FileSystem.status(life.machine().folder.disk)?.inode
        #expect(try life.machine().halt(.graceful).actions == [.stopped])
        let stopped = try life.record()
        #expect(stopped.stage == .stopped && stopped.process == nil && !stopped.isReady && stopped.forwards.isEmpty)
        #expect(stopped.hasOwnKey && stopped.hostKey != nil)
        #expect(life.network.machines.isEmpty)
        #expect(try life.machine().halt(.graceful).actions == [.unchanged])
        #expect(try life.machine().up(UpOptions()).actions == [.started])
        #expect(try FileSystem.status(life.machine().folder.disk)?.inode == disk)
    }

    @Test("what starts a machine follows from its disk, or is what the Wanderfile says, and the record says which")
    func startMethod() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        #expect(life.provider.state.withLock { $0.plans.last?.start } == .firmware(.bios))
        #expect(try life.record().start == "bios")
        try life.write("firmware: uefi")
        #expect(try life.machine().reload(UpOptions(), .graceful).actions == [.restarted])
        #expect(life.provider.state.withLock { $0.plans.last?.start } == .firmware(.uefi))
        #expect(try life.record().start == "uefi")
        #expect(try life.machine().status().json["start"] == "uefi")
    }

    @Test("a disk without a boot loader is an error before anything is started, and nothing is left of it")
    func noLoader() throws {
        let life = try LifeFixture(bootSector: [])
        #expect {
            try life.machine().up(UpOptions())
        } throws: { error in
            guard case ProviderError.noLoader("default") = error else { return false }
            return true
        }
        #expect(life.provider.state.withLock { $0.plans.isEmpty })
        #expect(life.network.machines.isEmpty)
        #expect(try life.machine().state().state != .running)
        // It has no earlier definition to differ from.
        #expect(try life.machine().status().remarks.allSatisfy { !$0.contains("changes") })
    }

    @Test("a guest is told of its surroundings before anything is fetched in it")
    func surroundings() throws {
        let life = try LifeFixture("proxy: http://proxy.test\nprovision: [{ name: step, run: make }]", cloudInit: true)
        _ = try life.machine().up(UpOptions())
        #expect(life.guests.done == ["login", "surroundings", "cloud-init", "step step", "probes"])
        life.guests.forget()
        _ = try life.machine().provision(.all)
        #expect(life.guests.done == ["surroundings", "step step"])
        // No step is another one for it.
        let definition = try #require(try life.machine().definition)
        let hashes = try [[:], ["http_proxy": "http://proxy.test"]].map {
            try definition.provisioningSteps(in: "/", $0)[0].definitionHash()
        }
        #expect(hashes[0] == hashes[1])
    }

    @Test("a guest that waits at its boot loader's prompt is not asked over SSH, which it would not answer")
    func stuckGuest() throws {
        let life = try LifeFixture("stop: { timeout: 1m }")
        life.provider.state.withLock { $0.heedsButton = false }
        _ = try life.machine().up(UpOptions())
        let log = try life.machine().folder.consoleLog
        try AtomicFile.write("error: no such partition.\nEntering rescue mode...\ngrub rescue> ", to: log)
        #expect(try life.machine().halt(.graceful).actions == [.stopped])
        #expect(!life.guests.done.contains("shut down"))
    }

    @Test("a guest that does not heed its power button is asked over SSH, and force asks nobody")
    func stubbornGuest() throws {
        let life = try LifeFixture("stop: { timeout: 1s }")
        life.provider.state.withLock { $0.heedsButton = false }
        _ = try life.machine().up(UpOptions())
        #expect(try life.machine().halt(.graceful).actions == [.stopped])
        #expect(life.guests.done.last == "shut down")
        _ = try life.machine().up(UpOptions())
        life.guests.forget()
        let presses = life.provider.state.withLock { $0.presses }
        #expect(try life.machine().halt(.force).actions == [.stopped])
        #expect(life.guests.done.isEmpty && life.provider.state.withLock { $0.presses } == presses)
    }

    @Test("the power of a guest that listens to nothing is cut after stop_timeout")
    func deafGuest() throws {
        let life = try LifeFixture("stop: { timeout: 1s }")
        life.provider.state.withLock { $0.heedsButton = false }
        life.guests.listen(false)
        _ = try life.machine().up(UpOptions())
        #expect(try life.machine().halt(.graceful).actions == [.stopped])
        #expect(try !life.machine().folder.isAlive())
        #expect(try life.record().stage == .stopped)
    }

    @Test("reload applies what the Wanderfile says now, and says that it restarted")
    func reload() throws {
        let life = try LifeFixture("cpus: 1")
        _ = try life.machine().up(UpOptions())
        try life.write("cpus: 2")
        #expect(try life.machine().status().remarks == ["changes for 'wander reload': cpus: 1 -> 2"])
        #expect(try life.machine().reload(UpOptions(), .graceful).actions == [.restarted])
        #expect(life.provider.state.withLock { $0.plans.map(\.processors) } == [1, 2])
        #expect(try life.machine().status().remarks.isEmpty)
    }

    @Test("suspend and resume, and up of a suspended machine, which sets the guest's clock")
    func suspend() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        #expect(try life.machine().suspend().actions == [.suspended])
        #expect(try life.machine().suspend().actions == [.unchanged])
        #expect(try life.machine().state().state == .paused)
        #expect(try life.machine().resume().actions == [.resumed])
        _ = try life.machine().suspend()
        life.guests.forget()
        #expect(try life.machine().up(UpOptions()).actions == [.resumed])
        #expect(life.guests.done == ["clock"])
        #expect(try life.machine().state().state == .running)
    }

    @Test("a machine that waits for room on the host's disk says so, and goes on once there is some")
    func waitingForRoom() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        life.provider.state.withLock { $0.isFull = true }
        let status = try life.machine().status()
        #expect(status.state == .paused && status.remarks.contains { $0.contains("disk is full") })
        for verb in [{ try life.machine().resume() }, { try life.machine().up(UpOptions()) }] {
            let error = #expect(throws: SystemError.self) { _ = try verb() }
            #expect(error?.errno == .noSpace)
        }
        life.provider.state.withLock { $0.isFull = false }
        #expect(try life.machine().status().remarks.isEmpty)
        #expect(try life.machine().up(UpOptions()).actions == [.unchanged])
    }

    @Test("snapshots of a halted machine: what was known of its steps comes back with its disk")
    func snapshots() throws {
        let life = try LifeFixture("provision: [{ name: one, run: make }]")
        _ = try life.machine().up(UpOptions())
        _ = try life.machine().halt(.force)
        _ = try life.machine().saveSnapshot("one", replaces: false)
        try life.write("provision: [{ name: one, run: make }, { name: two, run: make }]")
        _ = try life.machine().up(UpOptions())
        #expect(try life.record().provisioning.arrayValue?.count == 2)
        // One that runs is powered off.
        _ = try life.machine().restoreSnapshot("one")
        #expect(try life.record().provisioning.arrayValue?.count == 1)
        #expect(try !life.machine().folder.isAlive())
        life.guests.forget()
        #expect(try life.machine().up(UpOptions()).actions == [.started, .provisioned])
        #expect(life.guests.done.contains("step two") && !life.guests.done.contains("step one"))
        #expect(life.provider.state.withLock { $0.plans.last?.disks[0].backing.count } == 2)
        _ = try life.machine().halt(.force)
        _ = try life.machine().deleteSnapshot("one")
        #expect(try life.machine().snapshots().isEmpty)
    }

    @Test("a box is made of a machine that is stopped for it, and the machine's disk stays")
    func package() throws {
        let life = try LifeFixture("provision: [{ name: step, run: make }]")
        _ = try life.machine().up(UpOptions())
        var options = PackageOptions(output: life.folder("out.box"))
        options.keepsIdentity = true
        let outcome = try life.machine().package(options)
        #expect(outcome.stopped && outcome.virtualSize == 1 << 20)
        #expect(try life.machine().state().state == .stopped)
        #expect(try FileSystem.status(life.folder("out.box"))?.permissions == 0o600, "it holds the machine's key")
        #expect(try life.machine().up(UpOptions()).actions == [.started])
    }
}
