import BoxFormat
import JSON
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// Lives in which something fails, or a command is killed.
@Suite struct InterruptedLifeTests {
    @Test("a start that fails leaves a stopped machine, out of the network, which the next up starts")
    func failedStart() throws {
        let life = try LifeFixture("ports: [\"18081:80\"]")
        let failure = ProviderError.startFailed(machine: "default", log: "")
        life.provider.state.withLock { $0.failure = failure }
        #expect(throws: ProviderError.self) { try life.machine().up(UpOptions()) }
        let record = try life.record()
        #expect(record.stage == .stopped && record.forwards.isEmpty && record.process == nil)
        #expect(life.network.machines.isEmpty && life.network.forwards.isEmpty)
        life.provider.state.withLock { $0.failure = nil }
        #expect(try life.machine().up(UpOptions()).actions == [.started])
    }

    @Test("a host port that is taken is an error where the Wanderfile fixes it, and moves where it may")
    func takenPort() throws {
        let life = try LifeFixture("ports: [{ guest: 80, host: 18082, on_conflict: next }]")
        life.network.take(18082)
        #expect(try life.machine().up(UpOptions()).forwards.map(\.hostPort) == [18083])
        _ = try life.machine().destroy()
        try life.write("ports: [{ guest: 80, host: 18082, on_conflict: fail }]")
        #expect(throws: FakeNetwork.Taken.self) { try life.machine().up(UpOptions()) }
        #expect(try life.record().stage == .stopped)
    }

    @Test("a machine that never gave a sign of life is removed, and its logs are kept; one that did is not")
    func noLife() throws {
        let life = try LifeFixture()
        life.guests.fail("login")
        #expect(throws: FakeGuests.Broken(stage: "login")) { try life.machine().up(UpOptions()) }
        #expect(try life.machine().state().state == .notCreated)
        var keeping = UpOptions()
        keeping.destroyOnError = false
        #expect(throws: FakeGuests.Broken.self) { try life.machine().up(keeping) }
        #expect(try life.machine().state().state == .starting)
        _ = try life.machine().destroy()
        // It was ready once: whatever fails later, it stays.
        life.guests.fail("probes")
        #expect(throws: FakeGuests.Broken.self) { try life.machine().up(UpOptions()) }
        #expect(try life.machine().state().state == .running)
    }

    @Test("steps that have succeeded do not run again after one that failed")
    func failedStep() throws {
        let life = try LifeFixture("provision: [{ name: one, run: make }, { name: two, run: make }]")
        life.guests.fail("step two")
        #expect(throws: FakeGuests.Broken(stage: "step two")) { try life.machine().up(UpOptions()) }
        #expect(try life.machine().state().state == .running)
        life.guests.fail()
        life.guests.forget()
        #expect(try life.machine().up(UpOptions()).actions == [.provisioned])
        #expect(life.guests.done == ["step two", "probes"])
        life.guests.forget()
        #expect(try life.machine().provision(.all).actions == [.provisioned])
        #expect(life.guests.done == ["step one", "step two"])
    }

    @Test("a machine that ended by itself is said to, and up starts it again")
    func endedByItself() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        life.provider.crash()
        let report = try life.machine().status()
        #expect(report.state == .stopped && report.remarks == ["ended by itself"])
        #expect(try life.machine().halt(.graceful).actions == [.unchanged])
        #expect(try life.record().stage == .stopped)
        #expect(try life.machine().up(UpOptions()).actions == [.started])
    }

    /// Writes the record as a command has left it that was killed then.
    private func kill(_ life: LifeFixture, at transition: (inout MachineRecord) -> Void) throws {
        let machine = try life.machine()
        try machine.journal(machine.existingRecord()).write(transition)
    }

    @Test("a creation that was interrupted is done again, with what is needed of it")
    func creating() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        _ = try life.machine().halt(.force)
        let machine = try life.machine()
        try life.project().store.save(machine.existingRecord().with(["stage": "creating"]))
        #expect(try life.machine().state().state == .incomplete)
        #expect(throws: ProviderError.self) { try life.machine().saveSnapshot("x", replaces: false) }
        #expect(try life.machine().up(UpOptions()).actions == [.created, .started])
    }

    @Test("a project that is copied while its machine runs has a machine of its own, which does not run")
    func copiedProject() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        let process = try life.record().process
        let (folder, copy) = (try life.machine().folder, life.folder("copy"))
        let copied = try ChildProcess.run(["cp", "-a", folder.path.string, copy.string])
        #expect(copied.outcome.isSuccess)
        // Put where the machine was, the copy is what a copied project has.
        let aside = life.folder("aside")
        try FileSystem.rename(folder.path, to: aside)
        #expect(try !life.machine().folder.isAlive())
        try FileSystem.rename(copy, to: folder.path)
        #expect(try life.machine().state().state == .stopped)
        _ = try life.machine().destroy()
        #expect(process?.runs == true)
        // A folder that was moved still has its machine.
        try FileSystem.rename(aside, to: folder.path)
        #expect(try life.machine().state().state == .running)
        #expect(try life.record().process == process)
        _ = try life.machine().destroy()
        #expect(process?.runs == false)
    }

    @Test("a start that was killed before its process was written down is taken over")
    func starting() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        let process = try life.record().process
        try life.project().store.save(
            life.record().with(["stage": "starting", "process": .null, "ready": false]))
        #expect(try life.machine().state().state == .starting)
        life.guests.forget()
        _ = try life.machine().up(UpOptions())
        #expect(life.guests.done == ["login"])
        let record = try life.record()
        #expect(record.process == process && record.stage == .running)
    }

    @Test("a start that was killed before its process was made is a machine that does not run")
    func startingNothing() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        _ = try life.machine().halt(.force)
        try kill(life) { $0.starting(by: .emulation, .null, shares: [], start: .firmware(.bios)) }
        #expect(try life.machine().state().state == .stopped)
        #expect(try life.machine().halt(.graceful).actions == [.unchanged])
        #expect(try life.record().stage == .stopped)
        try kill(life) { $0.starting(by: .emulation, .null, shares: [], start: .firmware(.bios)) }
        #expect(try life.machine().up(UpOptions()).actions == [.started])
    }

    @Test("a halt that was killed is finished by the next one, or by up")
    func stopping() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        try kill(life) { $0.stopping() }
        #expect(try life.machine().halt(.graceful).actions == [.stopped])
        _ = try life.machine().up(UpOptions())
        try kill(life) { $0.stopping() }
        life.provider.crash()
        #expect(try life.machine().up(UpOptions()).actions == [.started])
    }

    @Test("a destroy that was killed is finished by the next one, and by up before it makes the machine again")
    func destroying() throws {
        let life = try LifeFixture()
        for (isAlive, command) in [(true, "destroy"), (false, "destroy"), (true, "up"), (false, "up")] {
            _ = try life.machine().up(UpOptions())
            try kill(life) { $0.destroying() }
            if !isAlive { life.provider.crash() }
            #expect(throws: ProviderError.self) { try life.machine().restoreSnapshot("x") }
            if command == "up" {
                #expect(try life.machine().up(UpOptions()).actions == [.created, .started])
                #expect(life.network.machines == ["default"])
            }
            #expect(try life.machine().destroy().actions == [.destroyed])
            #expect(try !FileSystem.exists(life.machine().folder.path))
        }
    }

    @Test("while one command has the machine, another says which, and changes nothing")
    func busy() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        let before = try life.record()
        let machine = try life.machine()
        try machine.exclusively {
            for verb in [{ _ = try life.machine().halt(.force) }, { _ = try life.machine().destroy() }] {
                #expect(throws: ProviderError.self) { try verb() }
            }
        }
        #expect(try life.record() == before)
    }

    @Test("a machine that the Wanderfile no longer has is halted and destroyed, but not brought up")
    func undefined() throws {
        let life = try LifeFixture("machines: { one: {}, two: {} }")
        _ = try life.machine("two").up(UpOptions())
        try life.write("machines: { one: {} }")
        #expect(throws: ProviderError.self) { try life.machine("two").up(UpOptions()) }
        #expect(try life.machine("two").halt(.graceful).actions == [.stopped])
        #expect(try life.machine("two").destroy().actions == [.destroyed])
    }

    @Test("what cannot be written down has not happened: a full disk leaves the record as it was")
    func fullDisk() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        _ = try life.machine().halt(.force)
        let before = try life.record()
        let journal = try life.machine().journal(before)
        // No file can be made beside the record.
        let folder = try life.machine().folder
        let aside = life.folder("aside")
        try FileSystem.rename(folder.path, to: aside)
        try AtomicFile.write("", to: folder.path)
        #expect(throws: (any Error).self) { try journal.write { $0.destroying() } }
        #expect(journal.record == before)
        try FileSystem.remove(folder.path)
        try FileSystem.rename(aside, to: folder.path)
        #expect(try life.record() == before)
    }
}
