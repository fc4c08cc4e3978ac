import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SSH

/// A guest that is reached over SSH: one session for everything that a command does in it.
final class SSHGuest: GuestWork {
    private let machine: Machine
    private let journal: MachineJournal
    private var session: SSHSession?
    /// Root's, for the first script, where the first login has made it ready.
    private var runner: GuestRunner?

    init(_ machine: Machine, _ journal: MachineJournal) {
        self.machine = machine
        self.journal = journal
    }

    func becomeReady(_ definition: MachineDefinition) throws {
        guard !journal.record.isReady else { return }
        let contact = try FirstLogin(machine, journal, definition).run()
        session = contact.session
        runner = contact.runner
    }

    func adapt(_ definition: MachineDefinition) throws {
        try Surroundings(machine, definition).tell(journal) { try connected() }
    }

    func awaitCloudInit(_ definition: MachineDefinition) throws {
        let job = CloudInitJob(machine, journal, definition)
        guard job.isNeeded else { return }
        let first = try connected()
        session = nil
        let last = try job.run(over: first)
        if last !== first { runner = nil }
        session = last
    }

    func setClock() throws { session = try ClockSetting(machine).run(journal.record, over: session) }

    func mountShares() throws { try ShareMounting(machine, journal).run { try connected() } }

    func provision(_ definition: MachineDefinition, _ choice: ProvisioningChoice, hasStarted: Bool) throws -> Bool {
        let job = ProvisioningJob(machine, definition)
        let plan = try job.plan(journal.record, choice, isStart: hasStarted)
        guard !plan.isEmpty else { return false }
        let first = try connected()
        // A step may restart the guest, and then comes back with another session, or with none.
        session = nil
        session = try job.run(plan, journal, over: first, by: runner)
        return true
    }

    func waitUntilProbesPass(_ definition: MachineDefinition) throws {
        try ProvisioningJob(machine, definition).waitUntilProbesPass { try connected() }
    }

    func run(_ step: ProvisioningStep, output: @escaping (String) -> Void) throws {
        let session = try connected()
        // Ctrl-C ends it at once: it is no step that a machine could be left in the midst of.
        session.observe(machine.project.cancellation.insistence == nil ? nil : machine.project.cancellation)
        let run = ProvisioningRun(
            over: session, masking: Masker(machine.definition?.maskedValues ?? []),
            writable: machine.definition.map { machine.writableFolders($0).folders } ?? []
        ) { event in
            if case .output(_, _, let line) = event { output(line) }
        }
        try run.run(ProvisioningPlan([step], records: [], selection: .all, isStart: true)) { _ in }
    }

    func shutDown(within milliseconds: Int64) -> Bool {
        guard milliseconds > 0,
            let session = try? GuestAccess(machine).connect(journal.record, patience: milliseconds)
        else { return false }
        defer { session.close() }
        var script = ShellScript("poweroff || systemctl poweroff || shutdown -h now", as: "root")
        script.milliseconds = 5000
        _ = try? session.collect(script)
        return true
    }

    func close() {
        session?.close()
        session = nil
        runner = nil
    }

    private func connected() throws -> SSHSession {
        let connected = try session ?? GuestAccess(machine).connect(journal.record)
        session = connected
        return connected
    }
}
