public import EnvFile
import LinuxSystem
import Reporting
import SystemPackage

/// A machine of a project. It holds no state of its own: its record has everything, and is read when needed.
///
/// Its verbs are in `Machine+Verbs.swift`; each verb's work is a type of its own.
public struct Machine: Sendable {
    public let project: Project
    public let name: String
    /// nil for a machine that the Wanderfile no longer has.
    public let definition: MachineDefinition?
    /// The names of the machines that must come up before it.
    public var dependencies: Set<String> { Set(definition?.dependsOn.map(\.machine) ?? []) }

    public var folder: MachineFolder { project.layout.machine(name) }

    func report(_ event: Event) { project.events.report(event, about: name) }

    /// What the Wanderfile says of it.
    func defined() throws -> MachineDefinition {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        return definition
    }

    /// Runs `body` while no other command may change the machine.
    func exclusively<Result>(_ body: () throws -> Result) throws -> Result {
        try project.layout.prepare()
        try? project.settings.knownEnvironments?.remember(project.layout, name: project.environment.name)
        let lock = try CommandLock.take(
            name, in: project.layout, command: project.settings.command, wait: project.settings.lockWaitMilliseconds,
            cancellation: project.cancellation)
        try project.layout.removeLeftovers(of: name)
        let result = try body()
        lock.release()
        return result
    }

    /// The machine's record; nil if there is no such machine.
    /// - Throws: ``ProviderError/recordMissing(machine:path:)`` if there is one all the same: its disk may have been
    ///   worked on for months, and it may run.
    func record() throws -> MachineRecord? {
        if let record = try project.store.load(name) { return record }
        guard try !isLost() else { throw ProviderError.recordMissing(machine: name, path: folder.record) }
        return nil
    }

    /// Whether there is more of a machine than a record that is not there could say.
    func isLost() throws(SystemError) -> Bool {
        if try FileSystem.exists(folder.disk) { return true }
        return try folder.isAlive()
    }

    /// The record of a machine that must exist.
    func existingRecord() throws -> MachineRecord {
        guard let record = try record() else { throw ProviderError.notCreated(machine: name) }
        return record
    }

    /// The record of a machine that must exist, and not only by half.
    func completeRecord() throws -> MachineRecord {
        let record = try existingRecord()
        guard record.stage != .creating, record.stage != .destroying else {
            throw ProviderError.notCreated(machine: name)
        }
        return record
    }

    /// The record of a machine that must be running, paused or not.
    func runningRecord() throws -> MachineRecord {
        let record = try existingRecord()
        guard try folder.isAlive() else { throw ProviderError.notRunning(machine: name, state: "stopped") }
        return record
    }

    func provider(_ kind: ProviderKind) -> any MachineProvider { project.services.provider(kind) }

    /// Reaches the process of a machine that runs.
    func control(_ record: MachineRecord) throws -> any MachineControl { try provider(record.provider).control(folder) }

    /// What works inside the machine.
    func guest(_ journal: MachineJournal) -> any GuestWork { project.services.guest(self, journal) }
}
