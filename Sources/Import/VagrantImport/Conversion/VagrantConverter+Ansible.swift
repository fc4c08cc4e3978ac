import RubyReader

/// Ansible: each machine runs its playbook itself, on what is in the project's share.
extension VagrantConverter {
    private static let known: Set<String> = [
        "playbook", "extra_vars", "tags", "skip_tags", "groups", "limit", "verbose", "become", "sudo", "become_user",
        "inventory_path", "galaxy_role_file", "galaxy_roles_path", "raw_arguments", "compatibility_mode", "install",
        "install_mode", "provisioning_path", "version", "name", "type", "run", "host_key_checking", "force_remote_user",
        "start_at_task", "tmp_path", "config_file", "playbook_command",
    ]

    func convertAnsible(_ step: VagrantStep, _ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        let subject = "provision \"\(step.type)\""
        let playbook = step.option("playbook").map { VagrantSetting(value: $0, line: step.line(of: "playbook")) }
        guard let playbook, let given = text(playbook, subject), !given.isEmpty else {
            if playbook == nil { remarks.dropped(subject, "it has no playbook", at: step.line) }
            return
        }
        let limit = Self.limit(of: step)
        if let limit, !machine.isOnly, limit != machine.name, names.count > 1 {
            return remarks.dropped(
                subject,
                "it is for several machines at once (limit: \(limit)): run it on this host, with 'wander ssh-config'",
                at: step.line)
        }
        guard let folder = Self.folder(of: step, result) else {
            return remarks.dropped(subject, "the project's folder is not shared with the machine", at: step.line)
        }
        for key in step.options.keys {
            guard let name = key.symbolOrText, !Self.known.contains(name) else { continue }
            remarks.dropped("\(subject) \(name)", "it is not taken over", at: step.line(of: name))
        }
        if step.type == "ansible" {
            remarks.changed(subject, "Ansible runs in the machine, not on this host", at: step.line)
        }
        let (script, environment) = VagrantText.script(
            ansibleScript(step, playbook: Self.path(given), folder: folder, name: machine.name))
        var members: [WanderfileValue.Member] = [.init(name: "run", value: .body(script))]
        if !environment.isEmpty {
            let variables = environment.map { WanderfileValue.Member(name: $0.name, value: .quoted($0.value)) }
            members.append(.init(name: "env", value: .map(variables)))
        }
        addStep(step, members, &result)
        remarks.taken(subject, as: "provision: run", at: step.line)
    }

    /// Where the playbook's folder is in the machine: `ansible_local` looks in /vagrant, whatever is shared there, and
    /// otherwise it is the project's own.
    private static func folder(of step: VagrantStep, _ result: WanderfileMachine) -> String? {
        var places: [(host: String, guest: String)] = []
        for item in result.items(of: "shares") {
            if case .text(let short) = item.value, let colon = short.firstIndex(of: ":") {
                places.append((String(short[..<colon]), String(short[short.index(after: colon)...])))
            } else if case .map(let members) = item.value, members.count > 1, case .text(let host) = members[0].value,
                case .text(let guest) = members[1].value
            {
                places.append((host, guest))
            }
        }
        let isLocal = step.type == "ansible_local"
        return places.first { $0.host == "." || isLocal && $0.guest == "/vagrant" }?.guest
    }

    private func ansibleScript(_ step: VagrantStep, playbook: String, folder: String, name: String) -> String {
        let root = step.option("provisioning_path")?.text ?? folder
        var lines = [
            "#!/bin/bash", "set -e", "if ! command -v ansible-playbook >/dev/null; then",
            "    if command -v apt-get >/dev/null; then",
            "        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y ansible",
            "    else", "        dnf install -y ansible-core || dnf install -y ansible", "    fi", "fi",
            "cd \(ShellText.quoted(root))",
        ]
        var command = ["ansible-playbook", "--connection=local"]
        let limit = Self.limit(of: step)
        if let inventory = step.option("inventory_path")?.text {
            command += ["--inventory", ShellText.quoted(Self.path(inventory))]
            command += ["--limit", ShellText.quoted(limit ?? name)]
        } else {
            if let limit { command += ["--limit", ShellText.quoted(limit)] }
            lines.append("inventory=$(mktemp)")
            lines.append("cat >\"$inventory\" <<'INVENTORY'")
            lines += inventory(step, name)
            lines.append("INVENTORY")
            command += ["--inventory", "\"$inventory\""]
        }
        if let roles = step.option("galaxy_role_file")?.text {
            let place = step.option("galaxy_roles_path")?.text ?? "roles"
            lines.append(
                "ansible-galaxy install --role-file=\(ShellText.quoted(roles)) --roles-path=\(ShellText.quoted(place))")
        }
        command += options(step)
        lines.append((command + [ShellText.quoted(playbook)]).joined(separator: " "))
        return lines.joined(separator: "\n") + "\n"
    }
}
