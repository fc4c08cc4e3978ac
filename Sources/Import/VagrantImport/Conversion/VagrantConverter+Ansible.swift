import JSON
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
        let limit = step.option("limit")?.items?.first?.text ?? step.option("limit")?.text
        if let limit, !machine.isOnly, limit != machine.name, names.count > 1 {
            return remarks.dropped(
                subject,
                "it is for several machines at once (limit: \(limit)): run it on this host, with 'wander ssh-config'",
                at: step.line)
        }
        guard let folder = projectFolder(result) else {
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

    /// Where the project's folder is in the machine.
    private func projectFolder(_ result: WanderfileMachine) -> String? {
        for item in result.items(of: "shares") {
            if case .text(let short) = item.value, short.hasPrefix(".:") { return String(short.dropFirst(2)) }
            if case .map(let members) = item.value, members.first?.value == .text("."), members.count > 1,
                case .text(let guest) = members[1].value
            {
                return guest
            }
        }
        return nil
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
        if let inventory = step.option("inventory_path")?.text {
            command += ["--inventory", ShellText.quoted(Self.path(inventory)), "--limit", ShellText.quoted(name)]
        } else {
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

    private func options(_ step: VagrantStep) -> [String] {
        var words: [String] = []
        for key in ["become", "sudo"] { if case .flag(true)? = step.option(key) { words.append("--become") } }
        switch step.option("extra_vars") {
        case .table(let table)?:
            words += ["--extra-vars", ShellText.quoted(Self.json(.table(table), depth: 0).compact)]
        case let value?: if let text = value.text { words += ["--extra-vars", ShellText.quoted("@\(text)")] }
        case nil: break
        }
        for (key, option) in [("tags", "--tags"), ("skip_tags", "--skip-tags")] {
            guard let value = step.option(key) else { continue }
            let text = value.items?.compactMap(\.text).joined(separator: ",") ?? value.text ?? ""
            words += [option, ShellText.quoted(text)]
        }
        switch step.option("verbose") {
        case .flag(true)?: words.append("-v")
        case let value?:
            if let text = value.text, text.hasPrefix("v"), text.allSatisfy({ $0 == "v" }) { words.append("-\(text)") }
        case nil: break
        }
        if let raw = step.option("raw_arguments") {
            words += (raw.items?.compactMap(\.text) ?? ShellText.words(raw.text ?? "")).map(ShellText.quoted)
        }
        return words
    }

    /// The machine alone, in the groups that have it.
    private func inventory(_ step: VagrantStep, _ name: String) -> [String] {
        var lines = ["\(name) ansible_connection=local"]
        guard case .table(let groups)? = step.option("groups") else { return lines }
        for (key, value) in zip(groups.keys, groups.values) {
            guard let group = key.symbolOrText else { continue }
            if group.hasSuffix(":vars"), case .table(let variables) = value {
                lines.append("[\(group)]")
                lines += zip(variables.keys, variables.values).compactMap { pair in
                    pair.0.symbolOrText.flatMap { name in pair.1.text.map { "\(name)=\($0)" } }
                }
            } else if let members = value.items?.compactMap(\.text) ?? value.text.map({ [$0] }) {
                let own = group.hasSuffix(":children") ? members : members.filter { Self.fits(name, $0) }
                lines.append("[\(group)]")
                lines += own
            }
        }
        return lines.flatMap { $0.split(separator: "\n").map(String.init) }
    }

    /// `node[1:3]` has node1, node2 and node3.
    private static func fits(_ name: String, _ pattern: String) -> Bool {
        guard let open = pattern.firstIndex(of: "["), pattern.hasSuffix("]") else { return name == pattern }
        let ends = pattern[pattern.index(after: open)...].dropLast().split(separator: ":")
        guard ends.count == 2, name.hasPrefix(pattern[..<open]), let low = Int(ends[0]), let high = Int(ends[1]),
            let number = Int(name.dropFirst(pattern[..<open].count))
        else { return false }
        return low <= number && number <= high
    }

    private static func json(_ value: RubyValue, depth: Int) -> JSONValue {
        guard depth < 16 else { return .null }
        switch value {
        case .null: return .null
        case .flag(let flag): return .bool(flag)
        case .integer(let number): return .integer(number)
        case .list(let list): return .array(list.items.map { json($0, depth: depth + 1) })
        case .table(let table):
            return .object(
                zip(table.keys, table.values).map { JSONMember($0.text ?? "", json($1, depth: depth + 1)) })
        default: return value.text.map { .string($0) } ?? .null
        }
    }
}
