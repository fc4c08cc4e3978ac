public import LinuxSystem
import Reporting
import SSH

/// Playbooks as steps.
extension ProvisioningRun {
    /// - Returns: Ansible's exit status.
    func play(_ playbook: PlaybookAction, _ step: ProvisioningStep) throws(ProvisioningError) -> Int32 {
        guard !playbook.isInGuest else { return try playInGuest(playbook, step) }
        guard let runOnHost else { throw .stepBroke(step: step.title, error: .closed(.channel)) }
        var complete = playbook
        complete.environment.merge(secrets.filter { playbook.secrets.contains($0.key) }) { _, secret in secret }
        return try session.lettingEnd(step.title) { () throws(ProvisioningError) in
            try PlaybookOutput(step, masker, report).run(complete, runOnHost)
        }
    }

    /// Everything that it consists of goes into a folder of the guest, of root's own, which is removed when it has run.
    private func playInGuest(_ playbook: PlaybookAction, _ step: ProvisioningStep) throws(ProvisioningError) -> Int32 {
        let folder: String
        do throws(SSHError) {
            let answer = try session.collect(
                ShellScript("umask 077; mktemp -d /var/tmp/wander-ansible.XXXXXX", as: playbook.user), limit: 4096)
            let text = String(decoding: answer.output, as: UTF8.self)
            guard answer.outcome.isSuccess, let path = text.split(whereSeparator: \.isNewline).last else {
                throw .commandFailed(
                    command: "mktemp", status: answer.outcome.shellStatus,
                    output: GuestText.lines(answer.error.prefix(4096)))
            }
            folder = String(path)
            let options = UploadOptions(permissions: 0o600, user: playbook.user)
            for input in playbook.inputs {
                var fitting = options
                let source = GuardedPath(input.path, outOf: writable)
                if (try? source.status())??.kind == .directory { fitting.permissions = nil }
                try session.upload(source, to: "\(folder)/\(input.name)", fitting) {
                    report(.progress(step: step.title, bytes: $0))
                }
            }
            try session.upload(playbook.inventory, to: "\(folder)/.wander-inventory.yml", options)
            if !playbook.variables.isEmpty {
                try session.upload(playbook.variables, to: "\(folder)/.wander-vars.json", options)
            }
        } catch { throw .stepBroke(step: step.title, error: error) }
        func place(_ name: String) -> String { "\(folder)/\(name)" }
        let words = playbook.words(
            inventory: place(".wander-inventory.yml"), variables: place(".wander-vars.json"), place: place)
        var script = ShellAction(
            script: .bytes(PackageResources.run_playbook_sh),
            arguments: [folder, playbook.galaxy.map(place) ?? ""] + words,
            environment: playbook.environment(place: place), user: playbook.user, timeout: playbook.timeout)
        (script.surroundings, script.secrets) = (playbook.surroundings, playbook.secrets)
        return try execute(script, step)
    }
}

/// Shows what a playbook on the host prints.
public final class PlaybookOutput {
    private let step: ProvisioningStep
    private let report: (ProvisioningEvent) -> Void
    private var lines: (output: OutputLines, error: OutputLines)
    private var last: [String] = []

    public init(_ step: ProvisioningStep, _ masker: Masker, _ report: @escaping (ProvisioningEvent) -> Void) {
        self.step = step
        self.report = report
        lines = (OutputLines(masker), OutputLines(masker))
    }

    /// - Parameter program: Runs it, and gives its outputs to what it gets.
    /// - Returns: Its exit status.
    public func run(
        _ playbook: PlaybookAction, _ program: ProvisioningRun.HostProgram
    ) throws(ProvisioningError) -> Int32 {
        let ending: HostCommand.Ending
        do {
            ending = try program(playbook) { stream, bytes in
                switch stream {
                case .output: show(.output, lines.output.add(bytes))
                case .error: show(.error, lines.error.add(bytes))
                }
            }
        } catch is Interruption {
            throw .broken(.interrupted)
        } catch let error as ProvisioningError {
            throw error
        } catch {
            let known = error as? any UserFacingError
            throw .hostFailed(
                step: step.title, reason: error.inWords, remedy: known?.remedy, kind: known?.kind ?? .failure)
        }
        show(.output, lines.output.finish().map { [$0] } ?? [])
        show(.error, lines.error.finish().map { [$0] } ?? [])
        switch ending {
        case .interrupted: throw .stepBroke(step: step.title, error: .interrupted)
        case .timedOut:
            throw .stepTimedOut(step: step.title, milliseconds: playbook.timeout?.milliseconds ?? 0, lastLines: last)
        case .ended(let outcome) where !outcome.isSuccess:
            let status = outcome.shellStatus
            throw .stepFailed(
                step: step.title, status: status, signal: SSHOutcome.signalName(ofShellStatus: status), lastLines: last)
        case .ended: return 0
        }
    }

    private func show(_ stream: ProvisioningEvent.Stream, _ texts: [String]) {
        guard !step.isSensitive else { return }
        for line in texts { report(.output(step: step.title, stream, line: line)) }
        last = Array((last + texts).suffix(ProvisioningRun.quotedLines))
    }
}
