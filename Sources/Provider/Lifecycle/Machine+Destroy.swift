import SystemPackage
import BoxFormat
import LinuxSystem
import Reporting

extension Machine {
    /// Stops the machine and removes it with its disk. The box stays.
    public func destroy() throws -> MachineOutcome {
        guard FileSystem.exists(folder.path) else { return MachineOutcome(machine: name, actions: [.unchanged]) }
        return try exclusively {
            guard FileSystem.exists(folder.path) else { return MachineOutcome(machine: name, actions: [.unchanged]) }
            report(.step("destroying"))
            try removeEverything(try project.store.load(name))
            return MachineOutcome(machine: name, actions: [.destroyed])
        }
    }

    /// May be repeated after it was interrupted anywhere: the record goes last.
    func removeEverything(_ existing: MachineRecord?) throws {
        if var record = existing {
            record.stage = .destroying
            try project.store.save(&record)
            try stop(&record, .force)
            try project.boxes.releaseUse(directory: folder.path)
        } else if try folder.isAlive() {
            // A record that was lost: what holds the lock is all that is known.
            MachineRecord.ProcessIdentity.holding(folder.livenessLock)?.kill()
        }
        try discardPreparation()
        for name in try FileSystem.list(folder.path) where name != "record.json" {
            try FileSystem.removeTree(folder.path.appending(name))
        }
        try FileSystem.removeTree(folder.path)
    }
}
