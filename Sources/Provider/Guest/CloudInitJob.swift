import CloudInit
import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SSH

/// Waits, once in a machine's life, until its cloud-init has done what it was told, and says what came of it.
struct CloudInitJob {
    /// How long it may take at least, in milliseconds: as long as a provisioning step.
    private static let patience: Int64 = 30 * 60_000

    let machine: Machine
    let journal: MachineJournal
    let definition: MachineDefinition

    init(_ machine: Machine, _ journal: MachineJournal, _ definition: MachineDefinition) {
        self.machine = machine
        self.journal = journal
        self.definition = definition
    }

    var isNeeded: Bool { journal.record.seed != nil && !journal.record.isInitialized }

    func run(over session: SSHSession) throws {
        let label = "waiting for cloud-init"
        machine.report(.step(label))
        let masker = Masker(definition.maskedValues)
        let started = MonotonicClock.now
        let limit = max(Self.patience, BootLimit(journal.record.provider, definition.bootTimeout).milliseconds * 2)
        var last = ""
        let outcome: CloudInitOutcome
        do throws(SSHError) {
            defer { machine.report(.finished(label: label)) }
            outcome = try CloudInitWait(milliseconds: limit).run(over: session) { line in
                let seconds = MonotonicClock.now.milliseconds(since: started) / 1000
                last = masker.mask(line)
                machine.report(
                    .progress(Progress(label, completed: UInt64(max(0, seconds)), unit: .seconds, detail: last)))
            }
        } catch {
            guard case .timedOut(.channel, let milliseconds) = error else { throw error }
            throw CloudInitError.timedOut(machine: machine.name, milliseconds: milliseconds, last: last)
        }
        try conclude(outcome, masker)
        machine.report(.note("cloud-init was done after \(MonotonicClock.now.milliseconds(since: started)) ms"))
    }

    /// - Throws: ``CloudInitError`` if it failed; then the next `up` says so again.
    func conclude(_ outcome: CloudInitOutcome, _ masker: Masker) throws {
        let without = definition.cloudInit == nil ? "" : ", so that 'cloud_init' has no effect"
        switch outcome {
        case .done: break
        case .absent: warn("its box has no cloud-init\(without)")
        case .unstarted: warn("its cloud-init did nothing: it is switched off, or found no seed\(without)")
        case .unclear(let words): warn("cloud-init's state is not known: \(words)")
        case .degraded(let warnings):
            warn(
                "cloud-init is done, and was not content:\n"
                    + warnings.map { "  \(masker.mask($0))" }.joined(separator: "\n"))
        case .failed(let status, let errors, let log):
            throw CloudInitError.failed(
                machine: machine.name, status: status, errors: errors.map { masker.mask($0) },
                log: log.map { masker.mask($0) })
        }
        try journal.write { $0.initialized() }
    }

    private func warn(_ words: String) { machine.report(.warning(words)) }
}
