import Glibc
import LinuxSystem
import SystemPackage

/// The process that runs a machine, or a guest that prepares a box: the one that holds the lock in the folder. It
/// counts as running even where its number is hidden from us (proc(5), prctl(2) PR_SET_DUMPABLE, another process
/// namespace, another host). The recorded process counts as running without the lock too, since a guest that has taken
/// it over can release the lock.
struct MachineProcess {
    let folder: MachineFolder
    /// nil if nobody here can tell.
    let identity: MachineRecord.ProcessIdentity?

    /// - Parameter recorded: What the machine's record says.
    /// - Returns: nil if nothing runs.
    static func find(
        _ folder: MachineFolder, recorded: MachineRecord.ProcessIdentity? = nil
    ) throws(SystemError) -> MachineProcess? {
        if let recorded, recorded.runs { return MachineProcess(folder: folder, identity: recorded) }
        guard try folder.isAlive() else { return nil }
        // The command that started it was killed before it could write the number down.
        let identity =
            MachineRecord.ProcessIdentity.listening(at: folder.controlSocket)
            ?? MachineRecord.ProcessIdentity.holding(folder.livenessLock)
        return MachineProcess(folder: folder, identity: identity)
    }

    /// Readable when the process has ended; nil if it has, or if nobody can tell which it is.
    var watch: ProcessWatch? {
        guard let identity, let watch = ProcessWatch(identity.identifier), identity.isAlive else { return nil }
        return watch
    }

    /// - Returns: Whether nothing runs any more, before the time was over and before `cancellation` was requested.
    func wait(milliseconds: Int64, cancellation: Cancellation? = nil) throws(SystemError) -> Bool {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        if let watch { _ = try watch.wait(milliseconds: milliseconds, cancellation: cancellation) }
        while try folder.isAlive() || identity?.runs == true {
            let left = deadline.milliseconds(since: .now)
            guard left > 0, cancellation?.isRequested != true else { return false }
            if let cancellation {
                _ = cancellation.wait(milliseconds: min(left, 30))
            } else {
                usleep(useconds_t(min(left, 30)) * 1000)
            }
        }
        return true
    }

    /// Ends the process: by its own means, then by force.
    /// - Parameters:
    ///   - patience: How long it may take to end by its own means, in milliseconds.
    ///   - recognition: What is only just starting can be neither asked nor recognized; by then it can. In
    ///     milliseconds.
    ///   - politely: Asks it to end. May fail.
    /// - Throws: ``ProviderError/holderUnknown(machine:lock:)`` if it goes on and nobody can tell which it is.
    func end(patience: Int64, recognition: Int64 = 10_000, politely: () throws -> Void) throws {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: recognition)
        while true {
            try? politely()
            if try wait(milliseconds: patience) { return }
            guard let present = try Self.find(folder, recorded: identity) else { return }
            if let identity = present.identity {
                identity.kill()
                guard try present.wait(milliseconds: 5000) else {
                    throw ProviderError.stopTimeout(machine: folder.name, seconds: (patience + 5000) / 1000)
                }
                return
            }
            guard MonotonicClock.now < deadline else {
                throw ProviderError.holderUnknown(machine: folder.name, lock: folder.livenessLock)
            }
        }
    }
}

extension Machine {
    /// nil if the machine does not run.
    func process(of record: MachineRecord) throws -> MachineProcess? {
        try MachineProcess.find(folder, recorded: record.process)
    }

    /// A watch over the machine's process; nil if it does not run, or if nobody can tell which process it is.
    func watchProcess(_ record: MachineRecord) throws -> ProcessWatch? { try process(of: record)?.watch }
}

extension MachineRecord.ProcessIdentity {
    /// The process that inherited the liveness lock at `path` as its descriptor 3.
    static func holding(_ path: FilePath) -> Self? {
        guard let lock = try? FileSystem.status(path), let names = try? FileSystem.list("/proc") else { return nil }
        for name in names {
            guard let identifier = Int32(name), identifier > 1 else { continue }
            // Other users' processes cannot be looked at and are not ours.
            guard let found = try? FileSystem.status(FilePath("/proc/\(identifier)/fd/3")),
                found.device == lock.device, found.inode == lock.inode
            else { continue }
            return of(identifier)
        }
        return nil
    }

    /// The monitor that listens at `socket`, as the kernel says; its /proc may be hidden. QEMU is handed its socket by
    /// a command, which the kernel would name: only a monitor counts.
    static func listening(at socket: FilePath) -> Self? {
        guard let connection = try? UnixSocket.connect(to: socket), let peer = connection.peerProcess,
            peer.identifier > 1, name(of: peer.identifier) == MonitorProvider.programName
        else { return nil }
        return of(peer.identifier)
    }
}
