public import JSON
import LinuxSystem
import SystemPackage

/// Lets one command at a time change a machine. Reading commands and `ssh` never take it.
public struct CommandLock: ~Copyable {
    let file: OwnedDescriptor

    /// The holder of a lock, as it described itself.
    public struct Holder: Sendable, Hashable {
        public var process: Int64
        public var command: String
        /// Seconds since 1970.
        public var since: Int64
    }

    /// Takes the lock.
    /// - Parameter wait: How long to wait for another command, in milliseconds; 0 fails at once.
    /// - Throws: ``ProviderError/locked(machine:holder:)``.
    static func take(
        _ machine: String, in layout: ProjectLayout, command: String, wait: Int64, cancellation: Cancellation
    ) throws -> CommandLock {
        let path = layout.commandLock(machine)
        let file = try OwnedDescriptor.open(path, [.readWrite, .create], permissions: 0o600)
        let taken =
            wait > 0
            ? try OpenFileLock.lock(file, .exclusive, milliseconds: wait, cancellation: cancellation)
            : try OpenFileLock.tryLock(file, .exclusive)
        try cancellation.check()
        guard taken else { throw ProviderError.locked(machine: machine, holder: holder(path)) }
        // Not atomic on purpose: it only informs, and the lock is on this very file.
        let note: JSONValue = [
            "process": .integer(Int64(currentProcessIdentifier())), "command": .string(command),
            "since": .integer(wallClockSeconds()),
        ]
        try file.truncate(to: 0)
        try file.writeAll(note.compact + "\n")
        return CommandLock(file: file)
    }

    consuming func release() {}

    /// Lets go of it, which closing the file does not where a process that another thread has just forked still has a
    /// copy of the descriptor.
    deinit { OpenFileLock.unlock(file) }

    /// Whether a command changes the machine now.
    /// - Throws: What keeps the lock from being looked at; only a file that is not there is held by nobody.
    static func isHeld(_ machine: String, in layout: ProjectLayout) throws(SystemError) -> Bool {
        let file: OwnedDescriptor
        do throws(SystemError) {
            file = try OwnedDescriptor.open(layout.commandLock(machine), .readWrite)
        } catch {
            guard error.errno != .noSuchFileOrDirectory else { return false }
            throw error
        }
        return try OpenFileLock.isHeldElsewhere(file)
    }

    /// What the file says about its holder; nil if it cannot be read.
    static func holder(_ path: FilePath) -> Holder? {
        guard let bytes = try? FileSystem.read(path, limit: 4096), let value = try? JSONParser.parse(bytes),
            let process = value["process"]?.integerValue, let command = value["command"]?.stringValue,
            let since = value["since"]?.integerValue
        else { return nil }
        return Holder(process: process, command: command, since: since)
    }
}

extension CommandLock.Holder {
    /// What becomes of a machine while a command works on it.
    private static let activities = [
        "up": "being brought up", "halt": "being stopped", "reload": "being restarted", "destroy": "being destroyed",
        "provision": "being provisioned", "package": "being packaged",
    ]

    /// For a look at the machine: `being packaged by 'wander package' (process 4711)`.
    var words: String {
        let verb = command.split(separator: " ").dropFirst().first { Self.activities[String($0)] != nil }
        return "\(verb.flatMap { Self.activities[String($0)] } ?? "in use") by '\(command)' (process \(process))"
    }

    public var json: JSONValue {
        ["command": .string(command), "process": .integer(process), "since": .string(timestamp(since))]
    }
}
