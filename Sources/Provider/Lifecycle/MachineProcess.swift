import LinuxSystem
import SystemPackage

extension Machine {
    /// A watch over the machine's process; nil if it does not run.
    func watchProcess(_ record: MachineRecord) throws -> ProcessWatch? {
        guard try folder.isAlive() else { return nil }
        if let identity = record.process, let watch = ProcessWatch(identity.identifier), identity.isAlive {
            return watch
        }
        // The command that started it was killed before it could write the number down.
        guard let identity = MachineRecord.ProcessIdentity.holding(folder.livenessLock) else { return nil }
        return ProcessWatch(identity.identifier)
    }

    /// Ends the process by force.
    func killProcess(_ record: MachineRecord) {
        (MachineRecord.ProcessIdentity.holding(folder.livenessLock) ?? record.process)?.kill()
    }
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
}
