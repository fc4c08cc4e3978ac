import Glibc
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct CommandLockTests {
    @Test("a second command learns who holds the machine, and gets it when the first has ended")
    func conflict() throws {
        let folder = try TemporaryFolder()
        let layout = ProjectLayout(project: folder.path)
        try layout.prepare()
        let cancellation = try Cancellation()
        let first = try CommandLock.take("web", in: layout, command: "wander up", wait: 0, cancellation: cancellation)
        #expect {
            _ = try CommandLock.take("web", in: layout, command: "wander halt", wait: 0, cancellation: cancellation)
                .release()
        } throws: { error in
            guard case ProviderError.locked(let machine, let holder) = error else { return false }
            return machine == "web" && holder?.command == "wander up"
                && holder?.process == Int64(currentProcessIdentifier())
        }
        // Another machine of the project is free.
        try CommandLock.take("db", in: layout, command: "wander up", wait: 0, cancellation: cancellation).release()
        first.release()
        try CommandLock.take("web", in: layout, command: "wander halt", wait: 0, cancellation: cancellation).release()
    }

    @Test("a lock that was let go of is free, whatever copies of its descriptor a fork in another thread has")
    func forkInFlight() throws {
        let folder = try TemporaryFolder()
        let layout = ProjectLayout(project: folder.path)
        try layout.prepare()
        let cancellation = try Cancellation()
        let first = try CommandLock.take("web", in: layout, command: "wander up", wait: 0, cancellation: cancellation)
        let copy = OwnedDescriptor(owning: dup(first.file.rawValue))
        first.release()
        try CommandLock.take("web", in: layout, command: "wander halt", wait: 0, cancellation: cancellation).release()
        copy.close()
    }

    @Test("a wait ends at its time and at a cancellation")
    func waiting() throws {
        let folder = try TemporaryFolder()
        let layout = ProjectLayout(project: folder.path)
        try layout.prepare()
        let cancellation = try Cancellation()
        let first = try CommandLock.take("web", in: layout, command: "wander up", wait: 0, cancellation: cancellation)
        #expect(throws: ProviderError.self) {
            try CommandLock.take("web", in: layout, command: "x", wait: 150, cancellation: cancellation).release()
        }
        cancellation.request()
        #expect(throws: Interruption.self) {
            try CommandLock.take("web", in: layout, command: "x", wait: 60_000, cancellation: cancellation).release()
        }
        first.release()
    }

    @Test("a lock that cannot be looked at is an error, and not one that nobody holds")
    func failingLookup() throws {
        let fixture = try MachineFixture()
        _ = try fixture.create()
        let layout = fixture.project.layout
        #expect(try !CommandLock.isHeld("default", in: layout) && !CommandLock.isHeld("other", in: layout))
        let path = layout.commandLock("default")
        try FileSystem.remove(path)
        // A link to itself: stat(2) and open(2) fail with ELOOP, for root too.
        #expect(symlink(path.string, path.string) == 0)
        #expect(throws: SystemError.self) { try CommandLock.isHeld("default", in: layout) }
        #expect(throws: SystemError.self) { try fixture.machine.halt(.force) }
        let report = try fixture.machine.status()
        #expect(report.remarks.contains { $0.contains(path.string) }, "\(report.remarks)")
    }

    @Test("the state keeps itself out of version control")
    func ignored() throws {
        let folder = try TemporaryFolder()
        let layout = ProjectLayout(project: folder.path)
        try layout.prepare()
        #expect(try FileSystem.read(layout.state.appending(".gitignore")) == Array("*\n".utf8))
        #expect(try FileSystem.status(layout.state)?.permissions == 0o700)
    }
}
