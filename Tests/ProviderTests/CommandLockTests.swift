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

    @Test("the state keeps itself out of version control")
    func ignored() throws {
        let folder = try TemporaryFolder()
        let layout = ProjectLayout(project: folder.path)
        try layout.prepare()
        #expect(try FileSystem.read(layout.state.appending(".gitignore")) == Array("*\n".utf8))
        #expect(try FileSystem.status(layout.state)?.permissions == 0o700)
    }
}
