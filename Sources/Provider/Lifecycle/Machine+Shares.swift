import EnvFile
import JSON
import LinuxSystem
import Reporting
import SSH

extension Machine {
    /// The folders that the machine is to be started with. Makes those that may be made.
    func openShares(_ definition: MachineDefinition) throws -> [MachineShare] {
        let place = project.environment.projectDirectory
        let writable = writableFolders(definition)
        return try definition.shares.map { try MachineShare($0, in: place, writable: writable) }
    }

    func writableFolders(_ definition: MachineDefinition) -> WritableFolders {
        WritableFolders(
            of: project.environment.machines + [definition], in: project.environment.projectDirectory)
    }

    /// Has the guest mount its shares, once after each start. One that had shares before forgets those that it has no
    /// more.
    /// - Parameter session: Made when it is needed.
    func mountShares(_ record: inout MachineRecord, session: inout SSHSession?) throws {
        guard record.shares.isEmpty ? record.hasShareLines : !record.hasMountedShares else { return }
        let script = MountScript(user: record.user, shares: record.shares)
        if let first = script.shares.first {
            let more = script.shares.count > 1 ? " and \(script.shares.count - 1) more" : ""
            report(.step("mounting \(first.folder) at \(first.guest)\(more)"))
        }
        let connected = try session ?? connect(record)
        session = connected
        // Written down before it happens: a part of it may stand in the guest when this command is killed.
        if !record.shares.isEmpty, !record.hasShareLines {
            record.hasShareLines = true
            try project.store.save(&record)
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
            report(
                .warning("/etc/fstab of the guest cannot be written: after a restart from inside, 'wander up' mounts"))
        }
        record.hasMountedShares = true
        record.hasShareLines = !record.shares.isEmpty
        try project.store.save(&record)
    }

    private func error(_ outcome: MountScript.Outcome, _ script: MountScript, _ said: String) -> ShareError {
        guard case .failed(let reason, let number, let words) = outcome else {
            return .broken(machine: name, reason: String(said.suffix(500)))
        }
        let guest = script.shares.indices.contains(number - 1) ? script.shares[number - 1].guest : ""
        return switch reason {
        case "user": .noUser(machine: name, user: script.user)
        case "home": .hidesHome(machine: name, guest: guest, user: script.user)
        case "place": .noPlace(machine: name, guest: guest, reason: words)
        case "driver": .noDriver(machine: name, kernel: words)
        default: .mountFailed(machine: name, guest: guest, reason: words)
        }
    }

    /// What of the running machine's shares is not as it was when they were mounted.
    func shareRemarks(_ record: MachineRecord) -> [String] {
        guard !record.shares.isEmpty else { return [] }
        let gone = currentShares(record).filter { !$0.isStillThere }.map { share in
            let end = FileSystem.isAbsent(share.folder) ? "removed" : "replaced by another folder"
            return "\(share.folder) has been \(end) since it was shared at \(share.guest)"
        }
        let lost = (try? provider(record.provider).control(folder).lostShares) ?? []
        return gone
            + lost.filter(record.shares.indices.contains).map { index in
                "\(record.shares[index].guest) is served no more, since its wander-share has ended"
            }
    }

    /// What the machine was started with, each by the name that its folder has now: the project may have moved with it.
    func currentShares(_ record: MachineRecord) -> [MachineShare] {
        record.shares.map { share in
            var moved = share
            guard let place = definition?.shares.first(where: { $0.guest == share.guest })?.host else { return share }
            moved.folder = place.resolved(in: project.environment.projectDirectory)
            return moved.isStillThere ? moved : share
        }
    }

    /// For `up --dry-run` of a machine that will be started.
    func plannedShares(_ definition: MachineDefinition) -> [String] {
        definition.shares.flatMap { share in
            let folder = share.host.resolved(in: project.environment.projectDirectory)
            let makes = share.createsHost && FileSystem.isAbsent(folder) ? ["make the folder \(folder)"] : []
            return makes + ["share \(folder) at \(share.guest)\(share.mode == .readOnly ? ", read-only" : "")"]
        }
    }
}
