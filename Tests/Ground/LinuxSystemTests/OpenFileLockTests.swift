import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct OpenFileLockTests {
    @Test("a lock is seen by others, and ends with the last descriptor of a killed child")
    func inheritedLock() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("machine.lock")
        let mine = try OwnedDescriptor.open(path, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(mine, .exclusive))
        let other = try OwnedDescriptor.open(path, .readWrite)
        #expect(try OpenFileLock.isHeldElsewhere(other))
        #expect(try !OpenFileLock.tryLock(other, .shared))

        var options = ChildProcess.Options()
        options.extraDescriptors = [mine.rawValue]
        let child = try ChildProcess.start(["sleep", "60"], options)
        mine.close()
        #expect(try OpenFileLock.isHeldElsewhere(other), "the child inherited the lock")
        child.signal(9)
        #expect(try child.wait(milliseconds: 10_000) == .signalled(9))
        #expect(try OpenFileLock.tryLock(other, .exclusive))
    }
}
