import BoxFormat
import EnvFile
import LinuxSystem
import Reporting

/// `up` of a machine in any state: makes it, starts it, logs in, mounts its shares, provisions it, and waits until it
/// is ready.
struct BringUp {
    let machine: Machine
    let definition: MachineDefinition
    let options: UpOptions
    private var project: Project { machine.project }

    init(_ machine: Machine, _ definition: MachineDefinition, _ options: UpOptions) {
        self.machine = machine
        self.definition = definition
        self.options = options
    }

    func run() throws -> MachineOutcome {
        let existing = try afterInterruptions()
        let isNew = existing == nil || existing?.stage == .creating
        var actions: [MachineOutcome.Action] = []
        let journal: MachineJournal
        if let existing, try machine.folder.isAlive() {
            journal = machine.journal(existing)
            if try takeOver(journal) { actions.append(.resumed) }
        } else {
            journal = try start(isNew ? nil : existing, &actions)
        }
        let guest = machine.guest(journal)
        defer { guest.close() }
        do {
            try work(in: guest, &actions)
        } catch {
            guest.close()
            if isNew, !journal.record.isReady, options.destroyOnError, !machine.hasShownLife() {
                try Removal(machine).abandon(journal)
            }
            throw error
        }
        var outcome = MachineOutcome(machine: machine.name, actions: actions.isEmpty ? [.unchanged] : actions)
        outcome.forwards = journal.record.forwards
        outcome.message = definition.message
        return outcome
    }

    /// Stops the machine, and starts it with what the Wanderfile says now.
    func restart(_ journal: MachineJournal, _ mode: Machine.HaltMode) throws -> MachineOutcome {
        let changes = DefinitionChanges(from: journal.record.definition, to: definition.canonicalJSON)
        for change in changes.needingRestart { machine.report(.step("applying \(change)")) }
        for change in changes.needingDestroy {
            let commands = "wander destroy \(machine.name) && wander up \(machine.name)"
            machine.report(.warning("\(change) takes a new machine: \(commands)"))
        }
        try Stopping(machine, journal).run(mode)
        var outcome = try run()
        outcome.actions = outcome.actions.map { $0 == .started ? .restarted : $0 }
        return outcome
    }

    /// Finishes what an interrupted command had begun, where that was the end of the machine or of its run.
    private func afterInterruptions() throws -> MachineRecord? {
        guard let record = try machine.record() else { return nil }
        if record.stage == .destroying {
            machine.report(.step("finishing an interrupted destroy"))
            try Removal(machine).run(machine.journal(record))
            return nil
        }
        if record.stage == .stopping, try machine.folder.isAlive() {
            // The guest may be on its way down.
            machine.report(.step("waiting for an interrupted halt"))
            _ = try machine.process(of: record)?.wait(milliseconds: 10_000, cancellation: project.cancellation)
        }
        return record
    }

    /// Takes a machine as it runs.
    /// - Returns: Whether it was suspended.
    private func takeOver(_ journal: MachineJournal) throws -> Bool {
        let record = journal.record
        if let forced = project.settings.provider, forced != record.provider {
            throw ProviderError.otherProvider(machine: machine.name, has: record.provider, wants: forced)
        }
        if let found = try machine.process(of: record)?.identity, found != record.process {
            try journal.write { $0.adopted(found) }
        }
        let control = try machine.control(record)
        let wasPaused = try control.isPaused
        if wasPaused {
            try machine.goOn(control)
        } else if record.stage != .running {
            try journal.write { $0.started(nil) }
        }
        reportChanges(journal.record)
        return wasPaused
    }

    /// Makes the machine if there is none, and starts it.
    private func start(
        _ stopped: MachineRecord?, _ actions: inout [MachineOutcome.Action]
    ) throws -> MachineJournal {
        try HostPortCheck(machine).run(definition)
        let choice = try project.services.choose(project.settings.provider, definition.provider.kind)
        machine.report(.note("provider \(choice.kind.rawValue): \(choice.reason)"))
        let journal: MachineJournal
        if let stopped {
            journal = machine.journal(stopped)
        } else {
            let box = try project.resolveBox(definition)
            machine.report(.step("creating from \(box.identity)"))
            journal = try Creation(machine).make(from: box, provider: choice.kind)
            actions.append(.created)
        }
        // Not before the box is there: what has no box is not slow.
        if choice.isFallback {
            project.noticeOnce("emulation: \(choice.reason)") {
                machine.report(.warning("using emulation, which is much slower than KVM: \(choice.reason)"))
            }
        }
        let size = "\(counted(definition.cpus, "CPU")), \(ByteCount(definition.memory))"
        machine.report(.step("starting (\(size), \(choice.kind.rawValue))"))
        try Launch(machine, journal, definition).run(machine.provider(choice.kind))
        actions.append(.started)
        return journal
    }

    /// Everything after the start: SSH, shares, provisioning, probes.
    private func work(in guest: any GuestWork, _ actions: inout [MachineOutcome.Action]) throws {
        try guest.becomeReady(definition)
        // First: cloud-init fetches packages, too.
        try guest.adapt(definition)
        try guest.awaitCloudInit(definition)
        if actions.contains(.resumed) { try guest.setClock() }
        try guest.mountShares()
        let hasStarted = actions.contains(.started)
        if try guest.provision(definition, options.provisioning, hasStarted: hasStarted) {
            actions.append(.provisioned)
        }
        if hasStarted || actions.contains(.provisioned) { try guest.waitUntilProbesPass(definition) }
    }

    private func reportChanges(_ record: MachineRecord) {
        let reload = "wander reload \(machine.name)"
        for remark in machine.shareRemarks(record) {
            machine.report(.warning("\(remark); share it again with: \(reload)"))
        }
        let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON).needingRestart
        guard !changes.isEmpty else { return }
        machine.report(
            .warning("the Wanderfile has changed (\(changes.joined(separator: ", "))); apply it with: \(reload)"))
    }
}
