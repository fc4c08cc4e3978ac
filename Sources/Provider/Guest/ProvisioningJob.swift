import EnvFile
import JSON
import LinuxSystem
import Provisioning
import Reporting
import SSH
import SystemPackage

/// Runs a machine's provisioners and asks its ready probes.
struct ProvisioningJob {
    let machine: Machine
    let definition: MachineDefinition
    private var project: Project { machine.project }

    init(_ machine: Machine, _ definition: MachineDefinition) {
        self.machine = machine
        self.definition = definition
    }

    /// Runs what is planned, and keeps a record of each step.
    /// - Parameters:
    ///   - session: Closed if a step fails.
    ///   - runner: Over `session`, for the first script.
    /// - Returns: The session that there is at the end: a step may have restarted the guest.
    func run(
        _ plan: ProvisioningPlan, _ journal: MachineJournal, over session: SSHSession, by runner: GuestRunner?
    ) throws -> SSHSession {
        let log = try log()
        let secrets: [String: String]
        do { secrets = try StepSecrets(machine, definition).values(for: plan.runs.map(\.step)) } catch {
            session.close()
            throw error
        }
        var run = ProvisioningRun(
            over: session, masking: Masker(definition.maskedValues + secrets.values),
            writable: machine.writableFolders(definition).folders, by: runner
        ) { event in
            relay(event, log)
        }
        run.secrets = secrets
        let before = journal.record
        run.reconnect = { try awaitRestart($0, before) }
        run.runOnHost = { try project.services.runPlaybook(project, $0, $1) }
        do {
            try run.run(plan) { step in
                let steps = journal.record.stepRecords.filter { $0.name != step.name } + [step]
                try journal.write { $0.provisioned(.array(steps.map(\.json))) }
            }
        } catch {
            run.session.close()
            throw error
        }
        return run.session
    }

    /// Asks the ready probes until all have passed.
    /// - Parameter session: Gives a session with the guest, if one is needed.
    func waitUntilProbesPass(session: () throws -> SSHSession) throws {
        let probes = definition.readinessProbes(machine.surroundingEnvironment)
        guard !probes.isEmpty else { return }
        machine.report(.step("waiting until it is ready (\(probes.map(\.name).joined(separator: ", ")))"))
        let connected = try session()
        let log = try log()
        try ReadinessWait(over: connected, masking: Masker(definition.maskedValues)) { relay($0, log) }.run(probes)
    }

    private func log() throws -> BoundedLog {
        try BoundedLog(machine.folder.provisionLog, limit: BoundedLog.consoleLimit)
    }

    /// Waits until a guest that is going down has come back. Only a second request to stop ends that: it is part of a
    /// step.
    private func awaitRestart(_ restart: GuestRestart, _ record: MachineRecord) throws -> SSHSession {
        let label = "waiting for the guest's restart"
        machine.report(.step(label))
        defer { machine.report(.finished(label: label)) }
        let cancellation = project.cancellation.insistence ?? project.cancellation
        let access = GuestAccess(machine)
        var options = access.options(record)
        options.cancellation = cancellation
        options.process = try machine.process(of: record)?.watch
        let wait = ReadyWait(user: record.user, keys: [try access.key()], options)
        let total = BootLimit(record.provider, definition.bootTimeout).milliseconds
        let watch = BootWatch(machine, label: label, limit: total)
        let deadline = MonotonicClock.now.advanced(byMilliseconds: total)
        let patience = Patience(
            until: deadline, first: .seconds(1), growing: 1.5, most: .seconds(10), cancellation: cancellation)
        return try patience.wait(for: "the guest's restart") { () -> Patience.Answer<SSHSession> in
            do throws(SSHError) {
                let left = max(1000, deadline.milliseconds(since: .now))
                let login = try wait.run(
                    .init(milliseconds: left, longestMilliseconds: left * 2, isAlive: { watch.isAlive }),
                    report: watch.enter,
                    turn: watch.turn
                ) { () throws(SSHError) in try access.stream(waiting: 1000, cancellation) }
                if try restart.isOver(over: login.session) {
                    login.session.observe(project.cancellation)
                    return .here(login.session)
                }
                login.session.close()
                return .notYet(because: "it has not gone down")
            } catch {
                switch error {
                case .closed, .reset: return .notYet(because: error.summary)
                default: throw BootDiagnosis(machine, record).explain(error)
                }
            }
        }
    }

    /// What is to run, and why.
    func plan(_ record: MachineRecord?, _ choice: ProvisioningChoice, isStart: Bool) throws -> ProvisioningPlan {
        let selection: StepSelection =
            switch project.machineChoice(choice) {
            case .asNeeded: .needed
            case .all: .all
            case .none: .nothing
            case .only(let words): .only(words)
            }
        let place = project.environment.projectDirectory
        let writable = machine.writableFolders(definition)
        for path in definition.hostFiles { try writable.check(path.resolved(in: place), as: path.text) }
        return try ProvisioningPlan(
            definition.provisioningSteps(in: place, machine.surroundingEnvironment, of: project.environment),
            records: record.map(\.stepRecords) ?? [], selection: selection, isStart: isStart)
    }

    private func relay(_ event: ProvisioningEvent, _ log: BoundedLog) {
        func note(_ line: String) { log.write(Array("\(timestamp(wallClockSeconds())) \(line)\n".utf8)) }
        switch event {
        case .started(let step, let number, let count, let reason):
            machine.report(.step("provisioning \(number)/\(count): \(step) (\(reason.rawValue))"))
            note("--- \(step): \(reason.rawValue)")
        case .output(_, _, let line):
            machine.report(.output(line))
            note(line)
        case .finished(let step, let milliseconds):
            machine.report(.note("\(step) took \(milliseconds) ms"))
            note("--- \(step): done after \(milliseconds) ms")
        case .skipped(let step, let excuse): machine.report(.note("skipping \(step): \(excuse.rawValue)"))
        case .progress(let step, let bytes):
            machine.report(.progress(Progress("sending \(step)", completed: bytes)))
        case .probe(let name, let message): machine.report(.note("probe \(name): \(message)"))
        case .ready(let probe): machine.report(.note("probe \(probe): ready"))
        }
    }
}

extension MachineRecord {
    /// One a provisioner that has run. A record that cannot be read is as good as none: its step runs again.
    var stepRecords: [StepRecord] {
        (provisioning.arrayValue ?? []).compactMap { try? StepRecord($0, path: "provisioning") }
    }
}
