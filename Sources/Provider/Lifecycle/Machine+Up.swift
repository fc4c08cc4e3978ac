import BoxFormat
import EnvFile
import LinuxSystem
import Reporting
import SSH
import SystemPackage

extension Machine {
    /// Brings the machine to running, whatever state it is in, and provisions it.
    public func up(_ options: UpOptions) throws -> MachineOutcome {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        return try exclusively { try bringUp(definition, options) }
    }

    func bringUp(_ definition: MachineDefinition, _ options: UpOptions) throws -> MachineOutcome {
        var outcome = MachineOutcome(machine: name, actions: [])
        var existing = try record()
        if existing?.stage == .destroying {
            report(.step("finishing an interrupted destroy"))
            try removeEverything(existing)
            existing = nil
        }
        var isAlive = try folder.isAlive()
        let isNew = existing == nil || existing?.stage == .creating
        if existing?.stage == .stopping, isAlive, let record = existing {
            // An interrupted halt: the guest may be on its way down.
            report(.step("waiting for an interrupted halt"))
            _ = try process(of: record)?.wait(milliseconds: 10_000, cancellation: project.cancellation)
            isAlive = try folder.isAlive()
        }
        var record: MachineRecord
        if isAlive, let running = existing {
            record = running
            try checkRunningProvider(record, definition)
            try adoptProcess(&record)
            if try provider(record.provider).control(folder).isPaused {
                report(.step("resuming"))
                try provider(record.provider).control(folder).resume()
                outcome.actions.append(.resumed)
            } else if record.stage != .running {
                record.stage = .running
                try project.store.save(&record)
            }
            reportChanges(record, definition)
        } else {
            try checkHostPorts(definition)
            let choice = try ProviderChoice.make(forced: project.settings.provider, wanted: definition.provider.kind)
            report(.note("provider \(choice.kind.rawValue): \(choice.reason)"))
            if let stopped = existing, !isNew {
                record = stopped
            } else {
                let box = try project.resolveBox(definition)
                report(.step("creating from \(box.identity)"))
                record = try create(from: box, provider: choice.kind)
                outcome.actions.append(.created)
            }
            // Not before the box is there: what has no box is not slow.
            if choice.isFallback {
                project.noticeOnce("emulation: \(choice.reason)") {
                    report(.warning("using emulation, which is much slower than KVM: \(choice.reason)"))
                }
            }
            report(
                .step("starting (\(definition.cpus) CPUs, \(ByteCount(definition.memory)), \(choice.kind.rawValue))"))
            try start(&record, definition, provider: provider(choice.kind))
            outcome.actions.append(.started)
        }
        do {
            try finishUp(&record, definition, options, &outcome)
        } catch {
            if isNew, !record.isReady, options.destroyOnError, !hasShownLife() { try abandon(record) }
            throw error
        }
        if outcome.actions.isEmpty { outcome.actions = [.unchanged] }
        outcome.forwards = record.forwards
        outcome.message = definition.message
        return outcome
    }

    /// Everything behind the start: SSH, shares, provisioning, probes.
    private func finishUp(
        _ record: inout MachineRecord, _ definition: MachineDefinition, _ options: UpOptions,
        _ outcome: inout MachineOutcome
    ) throws {
        let ready = try record.isReady ? nil : becomeReady(&record, definition)
        var session = ready?.session
        defer { session?.close() }
        if outcome.actions.contains(.resumed) { try setClock(record, session: &session) }
        try mountShares(&record, session: &session)
        let hasStarted = outcome.actions.contains(.started)
        if try provision(
            &record, definition, options.provisioning, hasStarted: hasStarted, session: &session, runner: ready?.runner)
        {
            outcome.actions.append(.provisioned)
        }
        if hasStarted || outcome.actions.contains(.provisioned) {
            try waitUntilProbesPass(record, definition, &session)
        }
    }

    private func checkRunningProvider(_ record: MachineRecord, _ definition: MachineDefinition) throws {
        guard let forced = project.settings.provider, forced != record.provider else { return }
        throw ProviderError.otherProvider(machine: name, has: record.provider, wants: forced)
    }

    private func reportChanges(_ record: MachineRecord, _ definition: MachineDefinition) {
        let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON)
        for remark in shareRemarks(record) {
            report(.warning("\(remark); share it anew: wander reload \(name)"))
        }
        guard !changes.needingRestart.isEmpty else { return }
        report(
            .warning(
                "the Wanderfile has changed (\(changes.needingRestart.joined(separator: ", "))); apply it with: wander reload \(name)"
            ))
    }

    /// Takes a machine away again whose guest gave no sign of life, and keeps its logs. What has begun to live may only
    /// be slow.
    private func abandon(_ record: MachineRecord) throws {
        let logs = project.layout.state.appending("failed").appending(name)
        try? FileSystem.removeTree(logs)
        try? FileSystem.makeDirectory(logs, permissions: 0o700)
        for file in [folder.consoleLog, folder.monitorLog].flatMap({ [$0, BoundedLog.older($0)] }) {
            guard let name = file.lastComponent else { continue }
            try? FileSystem.rename(file, to: logs.appending(name))
        }
        report(.step("removing the machine, which gave no sign of life; its logs are in \(logs)"))
        try removeEverything(record)
    }
}
