import LinuxSystem
import SystemPackage

/// A machine's record, held by the command that may change it. Each change is written to disk before the command
/// continues, so a killed command leaves the state before the change or after it.
///
/// Used by one thread, which holds the machine's command lock.
final class MachineJournal {
    private(set) var record: MachineRecord
    private let store: MachineStore

    init(_ record: MachineRecord, in store: MachineStore) {
        self.record = record
        self.store = store
    }

    /// Changes the record and writes it down. What cannot be written down has not happened.
    func write(_ transition: (inout MachineRecord) -> Void) throws {
        var next = record
        transition(&next)
        next.changed(at: wallClockSeconds())
        try store.save(next)
        record = next
    }

    /// As ``write(_:)``, for the end of a machine or of its run: that needs no record, and a host without room on its
    /// disk has no other way to room. What is then read of a machine that has ended is that it ended by itself.
    func writeIfThereIsRoom(_ transition: (inout MachineRecord) -> Void) throws {
        do {
            try write(transition)
        } catch let error as SystemError where [.noSpace, .diskQuotaExceeded].contains(error.errno) {
            transition(&record)
        }
    }
}

extension Machine {
    func journal(_ record: MachineRecord) -> MachineJournal { MachineJournal(record, in: project.store) }
}
