import LinuxSystem
import Reporting
import SSH

/// Makes a guest mount its shares, once after each start, and forget those that it no longer has.
struct ShareMounting {
    let machine: Machine
    let journal: MachineJournal

    init(_ machine: Machine, _ journal: MachineJournal) {
        self.machine = machine
        self.journal = journal
    }

    /// - Parameter session: Gives a session with the guest, if one is needed.
    func run(session: () throws -> SSHSession) throws {
        let record = journal.record
        guard record.shares.isEmpty ? record.hasShareLines : !record.hasMountedShares else { return }
        let script = MountScript(user: record.user, shares: record.shares)
        if let first = script.shares.first {
            let more = script.shares.count > 1 ? " and \(script.shares.count - 1) more" : ""
            machine.report(.step("mounting \(first.folder) at \(first.guest)\(more)"))
        }
        let connected = try session()
        // Written down before it happens: a part of it may stand in the guest when this command is killed.
        if !record.shares.isEmpty, !record.hasShareLines {
            try journal.write { $0.mountingShares() }
        }
        var call = script.call
        // A guest that hangs is told from one that is slow by nothing but time.
        call.milliseconds = 300_000
        let answer: (outcome: SSHOutcome, output: [UInt8], error: [UInt8])
        do { answer = try connected.collect(call, limit: 1 << 16) } catch .timedOut(.channel, let milliseconds) {
            throw SSHError.noAnswer(command: "mount its shares", milliseconds: milliseconds)
        }
        let outcome = MountScript.Outcome(GuestText.lines(answer.output))
        guard case .mounted(let isKept) = outcome else {
            throw error(outcome, script, GuestText.lines(answer.output + answer.error))
        }
        if !isKept, !record.shares.isEmpty {
            machine.report(
                .warning("/etc/fstab of the guest cannot be written: after a restart from inside, 'wander up' mounts"))
        }
        try journal.write { $0.mountedShares() }
    }

    private func error(_ outcome: MountScript.Outcome, _ script: MountScript, _ said: String) -> ShareError {
        guard case .failed(let reason, let number, let words) = outcome else {
            return .broken(machine: machine.name, reason: String(said.suffix(500)))
        }
        let guest = script.shares.indices.contains(number - 1) ? script.shares[number - 1].guest : ""
        return switch reason {
        case "user": .noUser(machine: machine.name, user: script.user)
        case "home": .hidesHome(machine: machine.name, guest: guest, user: script.user)
        case "place": .noPlace(machine: machine.name, guest: guest, reason: words)
        case "driver": .noDriver(machine: machine.name, kernel: words)
        default: .mountFailed(machine: machine.name, guest: guest, reason: words)
        }
    }
}
