import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

extension MachineDefinition {
    /// The files and provisioners of the Wanderfile as steps: files first, then the scripts in their order.
    /// - Parameters:
    ///   - surroundings: What their environment has beside their own, and what is no part of them.
    ///   - environment: Knows the other machines, and playbooks for several; nil: only names matter.
    func provisioningSteps(
        in project: FilePath, _ surroundings: [String: String] = [:], of environment: Environment? = nil
    ) -> [ProvisioningStep] {
        let placed = files.map { file in
            ProvisioningStep(name: "file \(file.path)", action: .file(file.action(in: project)))
        }
        let masker = Masker(maskedValues)
        return placed
            + provision.enumerated().map { index, step in
                let label = step.name == "step-\(index + 1)" ? StepLabel.of(step, masker) : nil
                let script: StepContent
                switch step.action {
                case .inline(let text): script = .bytes(Array(text.utf8))
                case .script(let path): script = .source(path.resolved(in: project))
                case .ansible(let playbook):
                    let action = environment?.playbook(
                        playbook, for: [name], arguments: step.arguments, environment: step.environment,
                        timeout: step.timeout, secrets: step.secrets)
                    var played = ProvisioningStep(
                        name: step.name, action: .playbook((action ?? .unknown).surrounded(by: surroundings)),
                        when: ProvisioningStep.When(step.when), isSensitive: step.isSensitive)
                    played.label = label
                    return played
                case .file(let file):
                    var placed = ProvisioningStep(
                        name: step.name, action: .file(file.action(in: project)),
                        when: ProvisioningStep.When(step.when), isSensitive: step.isSensitive)
                    placed.label = label
                    return placed
                case .restart:
                    var restart = ProvisioningStep(
                        name: step.name, action: .restart, when: ProvisioningStep.When(step.when))
                    restart.label = label
                    return restart
                }
                var action = ShellAction(
                    script: script, arguments: step.arguments,
                    environment: self.environment.merging(step.environment) { _, own in own },
                    user: step.user == .root ? "root" : nil, timeout: step.timeout)
                (action.surroundings, action.secrets) = (surroundings, step.secrets)
                action.mayRestart = step.mayRestart
                action.hasTerminal = step.hasTerminal
                var result = ProvisioningStep(
                    name: step.name, action: .shell(action), when: ProvisioningStep.When(step.when),
                    isSensitive: step.isSensitive)
                result.label = label
                return result
            } + (environment?.guestPlaybooks(for: name) ?? [])
    }

    /// The host's files that go into the machine.
    var hostFiles: [HostPath] {
        files.compactMap { if case .source(let path) = $0.content { path } else { nil } }
            + provision.flatMap { step -> [HostPath] in
                switch step.action {
                case .script(let path): [path]
                case .ansible(let playbook): playbook.hostPaths
                case .file(let file): if case .source(let path) = file.content { [path] } else { [] }
                case .inline, .restart: []
                }
            }
    }

    /// What may not appear in any output: the values that sensitive steps get, and the passwords of proxies.
    var maskedValues: [String] {
        provision.filter(\.isSensitive).flatMap { step in
            let variables =
                if case .ansible(let playbook) = step.action { playbook.variables.texts } else { [String]() }
            return Array(step.environment.values) + step.arguments + variables
        } + (proxy?.secrets ?? [])
    }

    func readinessProbes(_ surroundings: [String: String]) -> [ReadinessProbe] {
        ready.map { probe in
            let check: ReadinessProbe.Check =
                switch probe.check {
                case .tcp(let port): .tcp(port)
                case .run(let command): .run(command)
                case .http(let address): .http(address)
                case .file(let path): .file(path)
                }
            return ReadinessProbe(
                name: probe.name, check: check, timeout: probe.timeout, interval: probe.interval, hint: probe.hint,
                environment: environment.merging(surroundings) { own, _ in own })
        }
    }
}

/// What messages call a step that has no name of its own.
enum StepLabel {
    /// In characters.
    private static let limit = 48

    /// nil for one whose text is not to be shown.
    /// - Parameter masker: Knows what other steps keep secret.
    static func of(_ step: ProvisionerDefinition, _ masker: Masker) -> String? {
        guard !step.isSensitive else { return nil }
        switch step.action {
        case .restart: return "restart"
        case .script(let path): return path.text
        case .ansible(let playbook): return playbook.playbook.text
        case .file(let file): return "file \(file.path)"
        case .inline(let text): return command(masker.mask(text))
        }
    }

    /// The first line of a script that does something.
    static func command(_ text: String) -> String? {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            GuestText.line(line.utf8).split(separator: " ").joined(separator: " ")
        }
        let working = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") && !$0.hasPrefix("set -") }
        guard let first = working.first else { return nil }
        return first.count > limit ? "\(first.prefix(limit - 3))..." : working.count > 1 ? "\(first) ..." : first
    }
}

extension FileDefinition {
    /// What puts it there. The login user writes what is his; everything else is root's to write.
    func action(in project: FilePath) -> FileAction {
        let bytes: StepContent =
            switch content {
            case .text(let text): .bytes(Array(text.utf8))
            case .source(let source): .source(source.resolved(in: project))
            }
        return FileAction(
            content: bytes, path: path, permissions: UInt32(mode), owner: owner, user: owner == nil ? nil : "root")
    }
}

extension ProvisioningStep.When {
    init(_ when: ProvisionerDefinition.When) {
        switch when {
        case .changed: self = .changed
        case .once: self = .once
        case .always: self = .always
        case .manual: self = .manual
        }
    }
}
