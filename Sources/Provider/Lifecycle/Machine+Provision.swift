import EnvFile
import JSON
import LinuxSystem
import Provisioning
import Reporting
import SSH
import SystemPackage

extension Machine {
    /// Runs provisioners of a machine that runs.
    public func provision(_ choice: ProvisioningChoice) throws -> MachineOutcome {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        return try exclusively {
            var record = try runningRecord()
            let ready = try record.isReady ? nil : becomeReady(&record, definition)
            var session = ready?.session
            defer { session?.close() }
            try mountShares(&record, session: &session)
            let ran = try provision(
                &record, definition, choice, hasStarted: true, session: &session, runner: ready?.runner)
            return MachineOutcome(machine: name, actions: [ran ? .provisioned : .unchanged])
        }
    }

    /// Runs the provisioners that the choice asks for, and keeps a record of each.
    /// - Parameters:
    ///   - session: Made when it is needed.
    ///   - runner: Over `session`, for the first script.
    /// - Returns: Whether any ran.
    func provision(
        _ record: inout MachineRecord, _ definition: MachineDefinition, _ choice: ProvisioningChoice, hasStarted: Bool,
        session: inout SSHSession?, runner: GuestRunner?
    ) throws -> Bool {
        let plan = try provisioningPlan(record, definition, choice, isStart: hasStarted)
        guard !plan.isEmpty else { return false }
        let connected = try session ?? connect(record)
        session = connected
        let log = try BoundedLog(folder.provisionLog, limit: BoundedLog.consoleLimit)
        var run = ProvisioningRun(
            over: connected, masking: Masker(definition.secrets), writable: writableFolders(definition).folders,
            by: runner
        ) { event in
            relay(event, log)
        }
        let before = record
        run.reconnect = { try awaitRestart($0, before, definition) }
        // Written through an own copy: the closure may not hold the caller's record.
        var current = record
        defer { record = current }
        do {
            try run.run(plan) { step in
                var steps = Self.stepRecords(current).filter { $0.name != step.name }
                steps.append(step)
                current.provisioning = .array(steps.map(\.json))
                try project.store.save(&current)
            }
        } catch {
            run.session.close()
            session = nil
            throw error
        }
        session = run.session
        return true
    }

    /// Waits until a guest that is going down has come back. Only a second request to stop ends that: it is part of a
    /// step.
    private func awaitRestart(
        _ restart: GuestRestart, _ record: MachineRecord, _ definition: MachineDefinition
    ) throws -> SSHSession {
        let label = "waiting for the guest's restart"
        report(.step(label))
        defer { report(.finished(label: label)) }
        let cancellation = project.cancellation.insistence ?? project.cancellation
        var options = patientOptions(record)
        options.cancellation = cancellation
        options.process = try watchProcess(record)
        let wait = ReadyWait(user: record.user, keys: [try machineKey()], options)
        let total = Self.bootMilliseconds(record.provider, definition.bootTimeout)
        let watch = BootWatch(self, label: label, limit: total)
        let deadline = MonotonicClock.now.advanced(byMilliseconds: total)
        let patience = Patience(
            until: deadline, first: 1000, growing: 1.5, most: 10_000, cancellation: cancellation)
        return try patience.wait(for: "the guest's restart") { () -> Patience.Answer<SSHSession> in
            do throws(SSHError) {
                let left = max(1000, deadline.milliseconds(since: .now))
                let login = try wait.run(
                    .init(milliseconds: left, longest: left * 2, isAlive: { watch.isAlive }), report: watch.enter,
                    turn: watch.turn
                ) { () throws(SSHError) in try guestStream(waiting: 1000, cancellation) }
                if try restart.isOver(over: login.session) {
                    login.session.observe(project.cancellation)
                    return .here(login.session)
                }
                login.session.close()
                return .notYet(because: "it has not gone down")
            } catch {
                switch error {
                case .closed, .reset: return .notYet(because: error.summary)
                default: throw diagnose(error, record)
                }
            }
        }
    }

    private func provisioningPlan(
        _ record: MachineRecord?, _ definition: MachineDefinition, _ choice: ProvisioningChoice, isStart: Bool
    ) throws -> ProvisioningPlan {
        let selection: StepSelection =
            switch choice {
            case .asNeeded: .needed
            case .all: .all
            case .none: .nothing
            case .only(let words): .only(words)
            }
        let place = project.environment.projectDirectory
        let writable = writableFolders(definition)
        for path in definition.hostFiles { try writable.check(path.resolved(in: place), as: path.text) }
        return try ProvisioningPlan(
            definition.provisioningSteps(in: place),
            records: record.map(Self.stepRecords) ?? [], selection: selection, isStart: isStart)
    }

    private func relay(_ event: ProvisioningEvent, _ log: BoundedLog) {
        func note(_ line: String) { log.write(Array("\(timestamp(wallClockSeconds())) \(line)\n".utf8)) }
        switch event {
        case .started(let step, let number, let count, let reason):
            report(.step("provisioning \(number)/\(count): \(step) (\(reason.rawValue))"))
            note("--- \(step): \(reason.rawValue)")
        case .output(_, _, let line):
            report(.output(line))
            note(line)
        case .finished(let step, let milliseconds):
            report(.note("\(step) took \(milliseconds) ms"))
            note("--- \(step): done after \(milliseconds) ms")
        case .skipped(let step, let excuse): report(.note("skipping \(step): \(excuse.rawValue)"))
        case .progress(let step, let bytes):
            report(.progress(Progress("sending \(step)", completed: bytes)))
        case .probe(let name, let message): report(.note("probe \(name): \(message)"))
        case .ready(let probe): report(.note("probe \(probe): ready"))
        }
    }

    /// Asks the ready probes until all have passed.
    func waitUntilProbesPass(
        _ record: MachineRecord, _ definition: MachineDefinition, _ session: inout SSHSession?
    ) throws {
        let probes = definition.readinessProbes
        guard !probes.isEmpty else { return }
        report(.step("waiting until it is ready (\(probes.map(\.name).joined(separator: ", ")))"))
        let connected = try session ?? connect(record)
        session = connected
        let log = try BoundedLog(folder.provisionLog, limit: BoundedLog.consoleLimit)
        try ReadinessWait(over: connected, masking: Masker(definition.secrets)) { relay($0, log) }.run(probes)
    }

    static func stepRecords(_ record: MachineRecord) -> [StepRecord] {
        // A record that cannot be read is as good as none: its step runs again.
        (record.provisioning.arrayValue ?? []).compactMap { try? StepRecord($0, path: "provisioning") }
    }

    /// For `up --dry-run`.
    func plannedProvisioners(
        _ record: MachineRecord?, _ definition: MachineDefinition, _ choice: ProvisioningChoice, starts: Bool
    ) throws -> [String] {
        let plan = try provisioningPlan(record, definition, choice, isStart: starts)
        return plan.entries.compactMap { entry in
            guard case .run(let reason) = entry.decision else { return nil }
            return "run \(entry.step.name) (\(reason.rawValue))"
        }
    }
}
