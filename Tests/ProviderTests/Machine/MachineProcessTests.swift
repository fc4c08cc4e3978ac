import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct MachineProcessTests {
    private let folder: TemporaryFolder
    private let machine: MachineFolder

    init() throws {
        folder = try TemporaryFolder()
        machine = MachineFolder(path: folder.path, name: "web")
    }

    @Test("a lock that nobody holds is no process; one that is held is, whoever it may be")
    func unknownHolder() throws {
        #expect(try MachineProcess.find(machine) == nil)
        // One more descriptor, so that the lock is not this process's number 3, by which a machine's would be known.
        let spare = try OwnedDescriptor.open("/dev/null", .readOnly)
        defer { #expect(spare.rawValue >= 0) }
        let lock = try OwnedDescriptor.open(machine.livenessLock, [.readWrite, .create])
        #expect(try MachineProcess.find(machine) == nil)
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        let process = try #require(try MachineProcess.find(machine))
        #expect(process.identity == nil && process.watch == nil)
        #expect(try !process.wait(milliseconds: 60))
        var asked = 0
        #expect {
            try process.end(patience: 20, recognition: 1500) { asked += 1 }
        } throws: { error in
            guard case ProviderError.holderUnknown("web", machine.livenessLock) = error else { return false }
            return true
        }
        #expect(asked > 1)
        // It ends by its own means: no number is needed.
        try process.end(patience: 10_000) { OpenFileLock.unlock(lock) }
        #expect(try MachineProcess.find(machine) == nil)
    }

    @Test("a recorded process counts as long as it runs, with the lock or without, and no other is taken for it")
    func recorded() throws {
        let lock = try OwnedDescriptor.open(machine.livenessLock, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        let child = try ChildProcess.start(["sleep", "60"])
        let identity = try #require(MachineRecord.ProcessIdentity.of(child.identifier))
        #expect(try MachineProcess.find(machine, recorded: identity)?.identity == identity)
        var other = identity
        other.started = "1"
        #expect(try MachineProcess.find(machine, recorded: other)?.identity == nil)
        // As a guest could make it do that has taken the process over.
        lock.close()
        #expect(try MachineProcess.find(machine, recorded: identity)?.identity == identity)
        #expect(try MachineProcess.find(machine, recorded: other) == nil)
        try other.endWithoutLock()
        #expect(identity.runs)
        try identity.endWithoutLock()
        // Nobody has collected it yet.
        #expect(identity.isAlive)
        #expect(try MachineProcess.find(machine, recorded: identity) == nil)
        #expect(try child.wait(milliseconds: 10_000) == .signalled(9))
    }

    @Test("who listens at the control socket counts only if it is a monitor")
    func listener() throws {
        try machine.prepareRun()
        let listener = try UnixSocket.listen(at: machine.controlSocket)
        #expect(try UnixSocket.connect(to: machine.controlSocket).peerProcess?.identifier == currentProcessIdentifier())
        #expect(MachineRecord.ProcessIdentity.listening(at: machine.controlSocket) == nil)
        listener.close()
    }
}
