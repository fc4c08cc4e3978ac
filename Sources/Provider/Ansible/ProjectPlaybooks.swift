import EnvFile
import JSON
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

extension Project {
    /// Runs the playbooks of the whole project that are due and whose machines all run. Each machine's record says of
    /// them what it says of its steps, so that a machine that is made anew, or brought back to a snapshot, counts as what
    /// it is.
    /// - Parameter started: The machines that this command has started.
    public func runPlaybooks(_ choice: ProvisioningChoice, started: Set<String>) throws {
        for playbook in environment.ansible.playbooks where playbook.definition.runIn == .host {
            try ProjectPlaybookJob(project: self, playbook: playbook, choice: choice, started: started).run()
        }
    }

    /// What of a choice is about steps of machines.
    func machineChoice(_ choice: ProvisioningChoice) -> ProvisioningChoice {
        guard case .only(let words) = choice else { return choice }
        let others = Set(environment.ansible.playbooks.filter { $0.definition.runIn == .host }.map(\.name))
        let own = words.filter { !others.contains($0) }
        return own.isEmpty ? .none : .only(own)
    }
}

/// One of them.
private struct ProjectPlaybookJob {
    let project: Project
    let playbook: ProjectPlaybook
    let choice: ProvisioningChoice
    let started: Set<String>

    func run() throws {
        if case .only(let words) = choice {
            guard words.contains(playbook.name) || words.contains("ansible") else { return }
        }
        let machines = try project.machines(named: [], includingUndefined: false)
            .filter { playbook.machines.contains($0.name) }
        guard choice != .none, !machines.isEmpty else { return }
        let waiting = try machines.filter { try $0.state().state != .running }.map(\.name)
        guard waiting.isEmpty else {
            let text = "playbook \(playbook.name) waits for \(waiting.joined(separator: ", "))"
            return project.events.report(.step(text), about: nil)
        }
        try locking(machines[...]) { try play(on: machines) }
    }

    /// In the order of the file, as every command takes them.
    private func locking(_ machines: ArraySlice<Machine>, _ body: () throws -> Void) throws {
        guard let first = machines.first else { return try body() }
        try first.exclusively { try locking(machines.dropFirst(), body) }
    }

    private func play(on machines: [Machine]) throws {
        let step = project.environment.step(playbook, for: playbook.machines)
        guard case .playbook(let action) = step.action else { return }
        let journals = try machines.map { $0.journal(try $0.runningRecord()) }
        // A record is of the same name as a machine's own step may have.
        let name = "ansible \(playbook.name)"
        let hash = try step.definitionHash()
        let decisions = journals.map { journal in
            step.decision(
                selection, record: journal.record.stepRecords.last { $0.name == name }, hash: hash,
                isStart: machines.contains { started.contains($0.name) })
        }
        guard case .run(let reason)? = decisions.first(where: \.runs) else { return }
        let writable = WritableFolders(of: project.environment.machines, in: project.environment.projectDirectory)
        for path in playbook.definition.hostPaths {
            try writable.check(path.resolved(in: project.environment.projectDirectory), as: path.text)
        }
        project.events.report(.step("playbook \(playbook.name) (\(reason.rawValue))"), about: nil)
        var record = StepRecord(name: name, hash: hash, state: .running, started: wallClockSeconds())
        func save() throws {
            for journal in journals {
                let steps = journal.record.stepRecords.filter { $0.name != name } + [record]
                try journal.write { $0.provisioned(.array(steps.map(\.json))) }
            }
        }
        try save()
        let masker = Masker(playbook.isSensitive ? playbook.secrets : [])
        let output = PlaybookOutput(step, masker) { event in
            if case .output(_, _, let line) = event { project.events.report(.output(line), about: nil) }
        }
        do throws(ProvisioningError) {
            let run = project.services.runPlaybook
            record.exitStatus = try project.cancellation.letEnd(playbook.name) { () throws(ProvisioningError) in
                try output.run(action) { try run(project, $0, $1) }
            }
        } catch {
            if error.kind != .interrupted {
                (record.state, record.finished) = (.failed, wallClockSeconds())
                if case .stepFailed(_, let status, _, _) = error { record.exitStatus = status }
                try save()
            }
            throw error
        }
        (record.state, record.finished) = (.succeeded, wallClockSeconds())
        try save()
        try project.cancellation.check()
    }

    private var selection: StepSelection {
        switch choice {
        case .asNeeded: .needed
        case .all: .all
        case .none: .nothing
        // By its type, one that is called by its name alone is left out.
        case .only(let words): .only(words)
        }
    }
}

extension ProjectPlaybook {
    /// What may not appear in any output, where it is sensitive.
    var secrets: [String] { Array(environment.values) + arguments + definition.variables.texts }
}
