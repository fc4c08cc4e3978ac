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

    /// - Parameter first: Closed if it fails.
    /// - Returns: The session that there is at the end: cloud-init may restart the guest.
    func run(over first: SSHSession) throws -> SSHSession {
        let label = "waiting for cloud-init"
        machine.report(.step(label))
        let masker = Masker(definition.maskedValues)
        let started = MonotonicClock.now
        let limit = max(Self.patience, BootLimit(journal.record.provider, definition.bootTimeout).milliseconds * 2)
        let deadline = started.advanced(byMilliseconds: limit)
        var last = ""
        var session = first
        var outcome: CloudInitOutcome?
        defer { machine.report(.finished(label: label)) }
        while outcome == nil {
            do throws(SSHError) {
                let left = max(1000, deadline.milliseconds(since: .now))
                outcome = try CloudInitWait(milliseconds: left).run(over: session) { line in
                    let seconds = MonotonicClock.now.milliseconds(since: started) / 1000
                    last = masker.mask(line)
                    machine.report(
                        .progress(Progress(label, completed: UInt64(max(0, seconds)), unit: .seconds, detail: last)))
                }
            } catch {
                session.close()
                switch error {
                case .timedOut(.channel, _):
                    throw CloudInitError.timedOut(machine: machine.name, milliseconds: limit, last: last)
                // As 'power_state' and upgraded kernels do.
                case .closed, .reset: session = try backAgain(until: deadline, error)
                default: throw error
                }
            }
        }
        if let outcome { try conclude(outcome, masker) }
        machine.report(.note("cloud-init was done after \(MonotonicClock.now.milliseconds(since: started)) ms"))
        return session
    }

    /// Waits until a guest that went down while its cloud-init was at work can be logged into again.
    private func backAgain(until deadline: MonotonicClock, _ reason: SSHError) throws -> SSHSession {
        machine.report(.step("the connection broke; waiting for the guest, which cloud-init may restart"))
        let patience = Patience(
            until: deadline, first: .seconds(1), growing: 1.5, most: .seconds(10),
            cancellation: machine.project.cancellation)
        return try patience.wait(for: "the guest's restart") { () -> Patience.Answer<SSHSession> in
            guard try machine.folder.isAlive() else { throw reason }
            do {
                return .here(try GuestAccess(machine).connect(journal.record))
            } catch let error as SSHError {
                switch error {
                case .closed, .reset, .timedOut: return .notYet(because: error.summary)
                default: throw error
                }
            }
        }
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
