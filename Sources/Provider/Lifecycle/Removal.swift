import BoxFormat
import LinuxSystem
import Reporting
import SystemPackage

/// Removes a machine with its disk.
struct Removal {
    let machine: Machine
    private var folder: MachineFolder { machine.folder }

    init(_ machine: Machine) { self.machine = machine }

    /// Removes the machine, whether or not its record can be read.
    func destroy() throws -> MachineOutcome {
        guard try FileSystem.exists(folder.path) else {
            return MachineOutcome(machine: machine.name, actions: [.unchanged])
        }
        machine.report(.step("destroying"))
        var record: MachineRecord?
        do {
            record = try machine.project.store.load(machine.name)
        } catch ProviderError.damagedRecord(let path, _) {
            machine.report(.note("\(path) cannot be read: removing the machine by what else is known of it"))
        }
        try run(record.map(machine.journal))
        return MachineOutcome(machine: machine.name, actions: [.destroyed])
    }

    /// May be repeated after it was interrupted anywhere: the record goes last.
    /// - Parameter journal: nil for a machine whose record was lost.
    func run(_ journal: MachineJournal?) throws {
        if let journal {
            // First: a machine that cannot be stopped stays what it is.
            try Stopping(machine, journal).run(.force)
            try journal.writeIfThereIsRoom { $0.destroying() }
        } else {
            // The lock is all that is known, not even who runs it.
            if let process = try MachineProcess.find(folder) {
                try process.end(patience: 1000) { process.identity?.kill() }
            }
            NetworkPlace(machine: machine).leave()
        }
        try Preparations(machine).discard()
        try machine.project.boxes.releaseUse(directory: folder.path)
        for name in try FileSystem.list(folder.path) where name != "record.json" {
            try FileSystem.removeTree(folder.path.appending(name))
        }
        try FileSystem.removeTree(folder.path)
    }

    /// Removes a machine whose guest gave no sign of life, and keeps its logs. What has begun to live may only be slow.
    func abandon(_ journal: MachineJournal) throws {
        let logs = machine.project.layout.failedLogs(of: machine.name)
        try? FileSystem.removeTree(logs)
        try? FileSystem.makeDirectory(logs, permissions: 0o700)
        for file in [folder.consoleLog, folder.monitorLog].flatMap({ [$0, BoundedLog.older($0)] }) {
            guard let name = file.lastComponent else { continue }
            try? FileSystem.rename(file, to: logs.appending(name))
        }
        machine.report(.step("removing the machine, which gave no sign of life; its logs are in \(logs)"))
        try run(journal)
    }
}
