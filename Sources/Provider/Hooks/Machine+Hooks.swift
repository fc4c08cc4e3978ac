public import EnvFile
import LinuxSystem
import Reporting
import SystemPackage

extension Machine {
    /// Does the work of a command between the machine's hooks for it. Called while the command holds the machine.
    ///
    /// Most commands do their work again when they are asked again, and the hooks with it. A machine that has been halted
    /// or destroyed cannot be so again: that an after_ hook is due is written down before, for a command that is killed.
    func hooked<Result>(_ verb: HookDefinition.Verb, _ body: () throws -> Result) throws -> Result {
        let job = HookJob(project: project, machine: self, hooks: definition?.hooks ?? [])
        guard job.hooks.contains(where: { $0.verb == verb }) else { return try body() }
        try job.run(.before, verb, in: runningGuest)
        let isNoted = Self.unrepeatable.contains(verb) && job.hooks.contains { $0.verb == verb && $0.side == .after }
        if isNoted { try AtomicFile.write("\n", to: note(verb), permissions: 0o600) }
        let result = try body()
        defer { if isNoted { try? FileSystem.remove(note(verb)) } }
        try job.run(.after, verb, in: runningGuest)
        return result
    }

    /// Runs the after_ hooks that a killed command has left undone.
    func finishHooks() throws {
        for verb in Self.unrepeatable where try FileSystem.exists(note(verb)) {
            let isDone = try verb == .destroy ? !FileSystem.exists(folder.path) : !folder.isAlive()
            defer { try? FileSystem.remove(note(verb)) }
            guard isDone else { continue }
            report(.step("hooks of an interrupted \(verb.rawValue)"))
            try HookJob(project: project, machine: self, hooks: definition?.hooks ?? []).run(.after, verb)
        }
    }

    /// Whether a killed command has left hooks undone.
    public var hasUnfinishedHooks: Bool {
        get throws { try Self.unrepeatable.contains { try FileSystem.exists(note($0)) } }
    }

    private static let unrepeatable: [HookDefinition.Verb] = [.halt, .destroy]

    /// Beside the machine's folder, which may be gone.
    private func note(_ verb: HookDefinition.Verb) -> FilePath {
        project.layout.locks.appending("\(name).after-\(verb.rawValue)")
    }

    /// nil where no guest can be asked.
    private var runningGuest: (() throws -> any GuestWork)? {
        guard let record = try? project.store.load(name), (try? folder.isAlive()) == true, record.isReady,
            (try? control(record).isPaused) == false
        else { return nil }
        return { guest(journal(record)) }
    }
}

extension Project {
    /// Does the work of a command between the project's hooks for it.
    public func hooked<Result>(_ verb: HookDefinition.Verb, _ body: () throws -> Result) throws -> Result {
        let job = HookJob(project: self, machine: nil, hooks: environment.hooks)
        try job.run(.before, verb)
        let result = try body()
        try job.run(.after, verb)
        return result
    }
}
