import YAML

/// Makes provisioning steps and probes from their values, each with a name that is its own in the machine.
struct StepBuilder {
    let context: BuildContext

    /// - Parameter secrets: The names of the machine's.
    func steps(_ record: Record, secrets: [String]) -> [ProvisionerDefinition] {
        var names: Set<String> = []
        return record.list("provision").enumerated().compactMap { index, value in
            // What is left out keeps its number, so that no other step has another name because of it.
            guard let step = value.record, !step.isLeftOut else { return nil }
            let action: ProvisionerDefinition.Action
            if let script = step["script"], let path = script.text {
                guard !path.contains("://") else {
                    context.problems.report(
                        "'script' takes a file of the host, not a URL",
                        hint: "Write 'run: curl -fsSL \(path.prefix(200)) | sh', or save the script beside this file.",
                        at: script.mark)
                    return nil
                }
                action = .script(context.hostPath(path, at: script.mark))
            } else if let text = step.text("run") {
                action = .inline(text)
            } else if let given = step.record("ansible"),
                let playbook = PlaybookBuilder(context: context).playbook(given)
            {
                action = .ansible(playbook)
                PlaybookBuilder(context: context).check(step)
            } else if let given = step.record("file"), let file = FileBuilder(context: context).file(given) {
                action = .file(file)
                FileBuilder(context: context).check(step)
            } else if !ObjectType.provisioner.exactlyOne.contains(where: { step[$0] != nil }),
                step.flag("reboot") == true
            {
                action = .restart
                checkRestart(step)
            } else {
                return nil
            }
            guard let name = name(step, "step-\(index + 1)", among: &names, what: "step") else { return nil }
            return ProvisionerDefinition(
                name: name, action: action, arguments: step.list("args").compactMap(\.text),
                environment: step.texts("env"), user: step.choice("as") ?? .root, when: step.choice("when") ?? .changed,
                timeout: step.duration("timeout"), isSensitive: step.flag("sensitive") ?? false,
                mayRestart: step.flag("reboot") ?? false, hasTerminal: step.flag("tty") ?? false,
                secrets: self.secrets(step, among: secrets))
        }
    }

    /// A step that only restarts the machine has no script to which these would mean anything.
    private func checkRestart(_ step: Record) {
        for key in ["args", "env", "as", "timeout", "sensitive", "tty", "secrets"] {
            guard let value = step[key], value.mark != .builtIn else { continue }
            problem(key, value)
        }
        func problem(_ key: String, _ value: Value) {
            let hint = key == "timeout" ? "'boot_timeout' of the machine says how long it may take." : "Remove it."
            context.problems.report(
                "a step that only restarts the machine takes no '\(key)'", hint: hint, at: value.mark)
        }
    }

    private func secrets(_ step: Record, among known: [String]) -> [String] {
        step.list("secrets").compactMap { value in
            guard let name = value.text else { return nil }
            guard known.contains(name) else {
                context.problems.report(
                    "the machine has no secret '\(name)'",
                    hint: Suggestion.didYouMean(name, in: known)
                        ?? "Add 'secrets: { \(name): { env: \(name) } }' to the machine.", at: value.mark)
                return nil
            }
            return name
        }
    }

    func probes(_ record: Record) -> [ProbeDefinition] {
        var names: Set<String> = []
        return record.list("ready").compactMap { value in
            guard let probe = value.record, let check = check(probe),
                let name = name(probe, check.standardName, among: &names, what: "probe")
            else { return nil }
            return ProbeDefinition(
                name: name, check: check, timeout: probe.duration("timeout") ?? .zero,
                interval: probe.duration("interval") ?? .seconds(1), hint: probe.text("hint"))
        }
    }

    private func check(_ probe: Record) -> ProbeDefinition.Check? {
        if let port = probe.portNumber("tcp") { return .tcp(port) }
        if let command = probe.text("run") { return .run(command) }
        if let url = probe.text("http") { return .http(url) }
        return probe.text("file").map { .file($0) }
    }

    private func name(_ record: Record, _ standard: String, among names: inout Set<String>, what: String) -> String? {
        guard let given = record["name"], let name = given.text else {
            var unique = standard
            var number = 2
            while !names.insert(unique).inserted {
                unique = "\(standard) (\(number))"
                number += 1
            }
            return unique
        }
        guard !name.isEmpty, name.count <= 100, names.insert(name).inserted else {
            let message =
                name.isEmpty || name.count > 100
                ? "a name has 1 to 100 characters" : "a second \(what) is called '\(name)'"
            context.problems.report(message, at: given.mark)
            return nil
        }
        return name
    }
}

extension ProbeDefinition.Check {
    /// The name of a probe that has none.
    fileprivate var standardName: String {
        switch self {
        case .tcp(let port): "tcp \(port)"
        case .run(let command): "run \(command.prefix { $0 != "\n" }.prefix(40))"
        case .http(let url): "http \(url.prefix(60))"
        case .file(let path): "file \(path.prefix(60))"
        }
    }
}
