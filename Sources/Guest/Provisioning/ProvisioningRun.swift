public import LinuxSystem
import Reporting
public import SSH
public import SystemPackage

/// Carries out a plan over a session, step by step, and stops at the first failure.
public struct ProvisioningRun {
    /// How many lines of output an error quotes.
    static let quotedLines = 20

    /// What changes when the guest restarts.
    private final class Connection {
        var session: SSHSession
        /// Over the session, started ahead for the first script.
        var runner: GuestRunner?
        init(_ session: SSHSession, _ runner: GuestRunner?) {
            self.session = session
            self.runner = runner
        }
    }
    private let connection: Connection
    let masker: Masker
    /// Waits until a guest that is going down has come back, and logs in; nil where a restart ends the run. The first
    /// request to stop does not end the wait, which is within ``SSHSession/lettingEnd(_:_:)``.
    public var reconnect: ((GuestRestart) throws -> SSHSession)?
    /// The values of secrets that steps name. The masker knows them.
    public var secrets: [String: String] = [:]
    /// What root runs to restart the guest.
    var restartScript = PackageResources.restart_sh
    /// The session in use. A restart of the guest replaces it.
    public var session: SSHSession { connection.session }
    let writable: [FilePath]
    let report: (ProvisioningEvent) -> Void
    /// Runs a playbook by a program of the host's, and gives it what the program prints.
    public typealias HostProgram = (PlaybookAction, (HostCommand.Stream, [UInt8]) -> Void) throws -> HostCommand.Ending
    /// nil where no step is the host's.
    public var runOnHost: HostProgram?

    /// - Parameters:
    ///   - session: Logged in. After an error the caller closes it.
    ///   - masker: Knows the values that must not be shown.
    ///   - writable: Folders of the host that guests may write to. A script or file in one is opened there when its
    ///     turn comes, whatever the guest has made of its name meanwhile.
    ///   - runner: A runner over the same session, started ahead for the first script.
    public init(
        over session: SSHSession, masking masker: Masker = .none, writable: [FilePath] = [],
        by runner: GuestRunner? = nil,
        report: @escaping (ProvisioningEvent) -> Void
    ) {
        connection = Connection(session, runner)
        self.masker = masker
        self.writable = writable
        self.report = report
    }

    /// - Parameter save: Gets the record of a step before and after it runs, and writes it to disk. What it throws ends
    ///   the run.
    /// - Throws: ``ProvisioningError``, or what `save` throws.
    public func run(_ plan: ProvisioningPlan, save: (StepRecord) throws -> Void) throws {
        let count = plan.runs.count
        var number = 0
        for entry in plan.entries {
            let step = entry.step
            switch entry.decision {
            case .skip(let excuse): report(.skipped(step: step.title, excuse: excuse))
            case .run(let reason):
                number += 1
                if session.isInterrupted { throw ProvisioningError.broken(.interrupted) }
                report(.started(step: step.title, number: number, count: count, reason: reason))
                try run(step, hash: entry.hash, save: save)
            }
        }
    }

    private func run(_ step: ProvisioningStep, hash: String, save: (StepRecord) throws -> Void) throws {
        let start = MonotonicClock.now
        var record = StepRecord(name: step.name, hash: hash, state: .running, started: wallClockSeconds())
        try save(record)
        do throws(ProvisioningError) {
            switch step.action {
            case .file(let file): try put(file, step)
            case .shell(let shell) where shell.mayRestart: record.exitStatus = try executeWithRestart(shell, step)
            case .shell(let shell): record.exitStatus = try execute(shell, step)
            case .playbook(let playbook): record.exitStatus = try play(playbook, step)
            case .restart: try restart(step)
            }
        } catch {
            // An interruption says nothing about the step: it counts as cut off, which also runs it again.
            if error.kind != .interrupted {
                record.state = .failed
                record.finished = wallClockSeconds()
                if case .stepFailed(_, let status, _, _) = error { record.exitStatus = status }
                try save(record)
            }
            throw error
        }
        record.state = .succeeded
        record.finished = wallClockSeconds()
        try save(record)
        report(.finished(step: step.title, milliseconds: MonotonicClock.now.milliseconds(since: start)))
        if session.isInterrupted { throw ProvisioningError.broken(.interrupted) }
    }

    /// - Returns: nil if the guest has restarted before the script could tell its status.
    private func executeWithRestart(_ shell: ShellAction, _ step: ProvisioningStep) throws(ProvisioningError) -> Int32?
    {
        let restart: GuestRestart
        do throws(SSHError) { restart = try GuestRestart(before: session) } catch {
            throw .stepBroke(step: step.title, error: error)
        }
        // The restart is part of the step: who asks to stop meanwhile finds the guest as the step leaves it.
        return try session.lettingEnd(step.title) { () throws(ProvisioningError) in
            try execute(shell, step, until: restart)
        }
    }

    private func execute(
        _ shell: ShellAction, _ step: ProvisioningStep, until restart: GuestRestart
    ) throws(ProvisioningError) -> Int32? {
        func isUnderWay() throws(ProvisioningError) -> Bool {
            do throws(SSHError) { return try restart.isUnderWay(over: session) } catch { throw .broken(error) }
        }
        let status: Int32?
        do {
            status = try execute(shell, step)
        } catch {
            // What a guest that goes down says last is the end of a connection, or of a script that it has ended by a
            // signal.
            switch error {
            case .stepLostGuest: status = nil
            case .stepFailed(_, _, .some, _):
                guard try isUnderWay() else { throw error }
                status = nil
            default: throw error
            }
        }
        if status != nil, try !isUnderWay() { return status }
        try comeBack(from: restart, step)
        return status
    }

    /// Does no more than that.
    private func restart(_ step: ProvisioningStep) throws(ProvisioningError) {
        let restart: GuestRestart
        do throws(SSHError) { restart = try GuestRestart(before: session) } catch {
            throw .stepBroke(step: step.title, error: error)
        }
        try session.lettingEnd(step.title) { () throws(ProvisioningError) in
            do throws(ProvisioningError) {
                _ = try execute(ShellAction(script: .bytes(restartScript), timeout: .seconds(60)), step)
            } catch {
                switch error {
                case .stepLostGuest, .stepFailed(_, _, .some, _): break
                default: throw error
                }
            }
            try comeBack(from: restart, step)
        }
    }

    /// Waits until the guest, which is going down, is there again.
    private func comeBack(from restart: GuestRestart, _ step: ProvisioningStep) throws(ProvisioningError) {
        guard let reconnect else { throw .stepLostGuest(step: step.title, error: .closed(.channel)) }
        session.close()
        do {
            connection.session = try reconnect(restart)
            connection.runner = nil
        } catch is Interruption {
            throw .broken(.interrupted)
        } catch let error as SSHError {
            throw .stepBroke(step: step.title, error: error)
        } catch {
            throw .notRestarted(step: step.title, reason: error.inWords)
        }
    }

    private func put(_ file: FileAction, _ step: ProvisioningStep) throws(ProvisioningError) {
        do throws(SSHError) {
            let options = UploadOptions(permissions: file.permissions, owner: file.owner, user: file.user)
            switch file.content {
            case .bytes(let bytes): try session.upload(bytes, to: file.path, options)
            case .source(let path):
                var fitting = options
                let source = GuardedPath(path, outOf: writable)
                // What cannot be looked at fails below.
                if (try? source.status())??.kind == .directory { fitting.permissions = nil }
                try session.upload(source, to: file.path, fitting) { report(.progress(step: step.title, bytes: $0)) }
            }
        } catch { throw .stepBroke(step: step.title, error: error) }
    }

    func execute(_ shell: ShellAction, _ step: ProvisioningStep) throws(ProvisioningError) -> Int32 {
        let bytes: [UInt8]
        switch shell.script {
        case .bytes(let inline): bytes = inline
        case .source(let path):
            do {
                bytes = try GuardedPath(path, outOf: writable).read()
            } catch { throw .unreadable(step: step.title, error: error) }
        }
        let environment = shell.surroundings.merging(shell.environment) { _, own in own }
            .merging(secrets.filter { shell.secrets.contains($0.key) }) { _, secret in secret }
        let script = GuestScript(
            script: GuestScript.withUnixLineBreaks(bytes), arguments: shell.arguments, environment: environment,
            user: shell.user, milliseconds: shell.timeout?.milliseconds, hasTerminal: shell.hasTerminal)
        var lines = (output: OutputLines(masker), error: OutputLines(masker))
        var last: [String] = []
        func show(_ stream: ProvisioningEvent.Stream, _ texts: [String]) {
            guard !step.isSensitive else { return }
            for line in texts { report(.output(step: step.title, stream, line: line)) }
            last = Array((last + texts).suffix(Self.quotedLines))
        }
        let status: Int32
        let start = MonotonicClock.now
        do throws(SSHError) {
            let ready = connection.runner.flatMap { $0.isFree && $0.fits(script) ? $0 : nil }
            status = try session.lettingEnd(step.title) { () throws(SSHError) in
                try script.run(over: session, by: ready) { stream, bytes in
                    switch stream {
                    case .output: show(.output, lines.output.add(bytes))
                    case .error: show(.error, lines.error.add(bytes))
                    }
                }
            }
        } catch {
            show(.output, lines.output.finish().map { [$0] } ?? [])
            show(.error, lines.error.finish().map { [$0] } ?? [])
            // A guest that fell silent times out too, long before the step's own limit.
            if case .timedOut(.channel, _) = error, let limit = shell.timeout?.milliseconds,
                MonotonicClock.now.milliseconds(since: start) >= limit
            {
                throw .stepTimedOut(step: step.title, milliseconds: limit, lastLines: last)
            }
            switch error {
            case .closed, .reset, .timedOut(.channel, _): throw .stepLostGuest(step: step.title, error: error)
            default: throw .stepBroke(step: step.title, error: error)
            }
        }
        show(.output, lines.output.finish().map { [$0] } ?? [])
        show(.error, lines.error.finish().map { [$0] } ?? [])
        guard status == 0 else {
            throw .stepFailed(
                step: step.title, status: status, signal: SSHOutcome.signalName(ofShellStatus: status), lastLines: last)
        }
        return status
    }
}
