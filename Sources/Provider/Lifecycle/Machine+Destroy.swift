import BoxFormat
import LinuxSystem
import Reporting
import SystemPackage

extension Machine {
    /// Stops the machine and removes it with its disk. The box stays.
    public func destroy() throws -> MachineOutcome {
        guard try FileSystem.exists(folder.path) else { return MachineOutcome(machine: name, actions: [.unchanged]) }
        return try exclusively {
            guard try FileSystem.exists(folder.path) else {
                return MachineOutcome(machine: name, actions: [.unchanged])
            }
            report(.step("destroying"))
            var record: MachineRecord?
            do {
                record = try project.store.load(name)
            } catch ProviderError.damagedRecord(let path, _) {
                report(.note("\(path) cannot be read: removing the machine by what else is known of it"))
            }
            try removeEverything(record)
            return MachineOutcome(machine: name, actions: [.destroyed])
        }
    }

    /// May be repeated after it was interrupted anywhere: the record goes last.
    func removeEverything(_ existing: MachineRecord?) throws {
        if var record = existing {
            // First: a machine that cannot be stopped stays what it is.
            try stop(&record, .force)
            record.stage = .destroying
            try project.store.save(&record)
        } else if let process = try MachineProcess.find(folder) {
            // A record that was lost: the lock is all that is known, not even who runs it.
            try process.end(patience: 1000) { process.identity?.kill() }
        }
        if existing == nil { leaveNetwork() }
        try discardPreparation()
        try project.boxes.releaseUse(directory: folder.path)
        for name in try FileSystem.list(folder.path) where name != "record.json" {
            try FileSystem.removeTree(folder.path.appending(name))
        }
        try FileSystem.removeTree(folder.path)
    }
}
