import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct ProcessIdentityTests {
    @Test("a process is known by number and start, and found by the lock that it inherited")
    func identity() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("machine.lock")
        let lock = try OwnedDescriptor.open(path, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        var options = ChildProcess.Options()
        options.extraDescriptors = [lock.rawValue]
        let child = try ChildProcess.start(["sleep", "60"], options)
        lock.close()
        let identity = try #require(MachineRecord.ProcessIdentity.of(child.identifier))
        #expect(identity.isAlive)
        #expect(MachineRecord.ProcessIdentity.holding(path) == identity)
        // The same number with another start is another process: it must not be killed.
        var other = identity
        other.started = "1"
        other.kill()
        #expect(try child.wait(milliseconds: 200) == nil)
        identity.kill()
        #expect(try child.wait(milliseconds: 10_000) == .signalled(9))
        #expect(MachineRecord.ProcessIdentity.holding(path) == nil)
    }
}
