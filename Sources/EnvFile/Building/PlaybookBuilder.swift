import YAML

/// Makes playbooks from their values.
struct PlaybookBuilder {
    let context: BuildContext

    func playbook(_ record: Record) -> PlaybookDefinition? {
        guard let playbook = path(record, "playbook") else { return nil }
        if let limit = record["limit"], record.text("run_in") == "guest" {
            context.problems.report(
                "'limit' is for playbooks that the host runs",
                hint: "In a machine a playbook is about that machine alone.",
                at: limit.mark)
        }
        return PlaybookDefinition(
            playbook: playbook, runIn: record.choice("run_in") ?? .host, limit: record.text("limit"),
            tags: record.list("tags").compactMap(\.text), skipTags: record.list("skip_tags").compactMap(\.text),
            variables: record.freeValues("extra_vars"), becomes: record.flag("become") ?? true,
            configuration: path(record, "config"), galaxy: path(record, "galaxy"),
            vaultPasswordFile: path(record, "vault_password_file"),
            inputs: record.list("inputs").compactMap { value in
                value.text.map { context.hostPath($0, at: value.mark) }
            })
    }

    private func path(_ record: Record, _ key: String) -> HostPath? {
        record[key].flatMap { value in value.text.map { context.hostPath($0, at: value.mark) } }
    }

    /// A step that runs a playbook has no script to which these would mean anything.
    func check(_ step: Record) {
        for key in ["as", "reboot", "tty"] {
            guard let value = step[key], value.mark != .builtIn else { continue }
            context.problems.report(
                "a step with 'ansible' takes no '\(key)'",
                hint: key == "as" ? "Write 'become: false' in 'ansible' for the login user." : "Remove it.",
                at: value.mark)
        }
    }

    /// The playbooks of the whole project.
    func playbooks(_ record: Record, for machines: [MachineDefinition]) -> [ProjectPlaybook] {
        var names: Set<String> = []
        return record.list("playbooks").enumerated().compactMap { index, value in
            guard let entry = value.record, let given = entry.record("ansible"), let playbook = playbook(given) else {
                return nil
            }
            let name = entry.text("name") ?? "playbook-\(index + 1)"
            guard names.insert(name).inserted else {
                context.problems.report(
                    "a second playbook is called '\(name)'", at: entry["name"]?.mark ?? value.mark)
                return nil
            }
            let words = entry.list("machines")
            let selectors = words.compactMap { word in word.text.map { MachineSelector($0) } }
            for word in words {
                guard let text = word.text else { continue }
                let selector = MachineSelector(text)
                if !machines.contains(where: { selector.matches(name: $0.name, group: $0.group) }) {
                    context.problems.report(
                        "there is no machine '\(text.prefix(64))'",
                        hint: Suggestion.didYouMean(text, in: machines.map(\.name)), at: word.mark)
                }
            }
            let chosen = machines.filter { machine in
                words.isEmpty || selectors.contains { $0.matches(name: machine.name, group: machine.group) }
            }
            return ProjectPlaybook(
                name: name, definition: playbook, machines: chosen.map(\.name),
                arguments: entry.list("args").compactMap(\.text), environment: entry.texts("env"),
                when: entry.choice("when") ?? .changed, timeout: entry.duration("timeout"),
                isSensitive: entry.flag("sensitive") ?? false)
        }
    }
}
