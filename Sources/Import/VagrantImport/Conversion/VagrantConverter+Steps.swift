import RubyReader

/// Provisioners.
extension VagrantConverter {
    func convertSteps(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        for step in machine.steps {
            switch step.type {
            case "shell": convertShell(step, &result)
            case "file": convertFile(step, machine, &result)
            case "ansible", "ansible_local": convertAnsible(step, machine, &result)
            case "docker", "podman": convertContainers(step, &result)
            case "reload", "unix_reboot":
                addStep(step, [.init(name: "reboot", value: .plain("true"))], &result)
                remarks.taken("provision \"\(step.type)\"", as: "provision: reboot: true", at: step.line)
            case "hosts", "hostmanager":
                remarks.dropped(
                    "provision \"\(step.type)\"", "not needed: machines know each other by name", at: step.line,
                    isImportant: false)
            case "puppet", "puppet_server", "chef_solo", "chef_zero", "chef_client", "chef_apply", "salt", "cfengine":
                remarks.dropped(
                    "provision \"\(step.type)\"",
                    "there is no such step: a 'run' that installs and calls it does the same",
                    at: step.line)
            default:
                remarks.dropped("provision \"\(step.type)\"", "there is no such step", at: step.line)
            }
        }
    }

    // MARK: - Shell

    private func convertShell(_ step: VagrantStep, _ result: inout WanderfileMachine) {
        var members: [WanderfileValue.Member] = []
        var environment = environment(step)
        if let path = step.option("path") {
            let setting = VagrantSetting(value: path, line: step.line(of: "path"))
            guard let text = text(setting, "provision \"shell\""), !text.isEmpty else { return }
            members = script(at: text, step, &environment)
        } else if let inline = step.option("inline") {
            let setting = VagrantSetting(value: inline, line: step.line(of: "inline"))
            if let unknown = inline.firstUnknown, unknown.reason.contains(".pub'") {
                return remarks.dropped(
                    "provision \"shell\"", "not needed: each machine has a key of its own (\(unknown.reason))",
                    at: step.line, isImportant: false)
            }
            guard let text = text(setting, "provision \"shell\"") else { return }
            let (script, variables) = VagrantText.script(text)
            environment += variables.filter { new in !environment.contains { $0.name == new.name } }
            guard let body = ShellText.body(script) else {
                return remarks.dropped("provision \"shell\"", "the script is empty", at: step.line, isImportant: false)
            }
            members = [.init(name: "run", value: .body(body))]
        } else if step.option("reboot") == nil, step.option("reset") == nil {
            return remarks.dropped("provision \"shell\"", "it has neither 'inline' nor 'path'", at: step.line)
        }
        if !members.isEmpty {
            members += details(step, environment)
            addStep(step, members, &result)
            remarks.taken("provision \"shell\"", as: "provision: \(members[0].name)", at: step.line)
        }
        if case .flag(true)? = step.option("reboot") {
            addStep(nil, at: step.line, [.init(name: "reboot", value: .plain("true"))], &result)
        }
    }

    /// A script of the host, or one that the machine fetches.
    private func script(
        at path: String, _ step: VagrantStep, _ environment: inout [(name: String, value: String)]
    ) -> [WanderfileValue.Member] {
        let line = step.line(of: "path")
        if path.hasPrefix("http://") || path.hasPrefix("https://") || path.hasPrefix("ftp://") {
            remarks.changed("provision \"shell\"", "the machine itself fetches the script", at: line)
            let (address, variables) = VagrantText.script(path)
            environment += variables
            return [
                .init(name: "run", value: .body(ShellText.fetched(from: address, sum: step.option("sha256")?.text)))
            ]
        }
        let file = Self.path(path)
        if let bytes = host.read(RubyPlaceholder.withoutVariables(file)) {
            if !bytes.starts(with: Array("#!".utf8)) {
                remarks.changed(
                    "provision \"shell\"",
                    "'\(file)' has no #! line, so 'sh -eu' runs it: '#!/bin/bash' as its first line keeps it as it was",
                    at: line)
            } else if bytes.prefix(200).contains(0x0d) {
                remarks.changed("provision \"shell\"", "'\(file)' has line ends of Windows", at: line)
            }
        } else if host.kind(of: RubyPlaceholder.withoutVariables(file)) == .nothing {
            remarks.changed("provision \"shell\"", "there is no file '\(file)' yet", at: line)
        }
        return [.init(name: "script", value: .text(VagrantText.filled(file)))]
    }

    private func environment(_ step: VagrantStep) -> [(name: String, value: String)] {
        guard case .table(let table)? = step.option("env") else { return [] }
        var result: [(name: String, value: String)] = []
        for (key, value) in zip(table.keys, table.values) {
            guard let name = key.symbolOrText, ShellText.isVariable(name) else { continue }
            guard let text = value.text else {
                remarks.dropped("provision env", "the value of '\(name)' is not known here", at: step.line(of: "env"))
                continue
            }
            result.removeAll { $0.name == name }
            result.append((name, VagrantText.filled(text)))
        }
        return result
    }

    private func details(
        _ step: VagrantStep, _ environment: [(name: String, value: String)]
    ) -> [WanderfileValue.Member] {
        var members: [WanderfileValue.Member] = []
        if let arguments = step.option("args") {
            let items = arguments.items ?? ShellText.words(arguments.text ?? "").map { .string($0) }
            let words = items.compactMap(\.text).map { WanderfileValue.quoted(VagrantText.filled($0)) }
            if words.count < items.count {
                remarks.dropped("provision args", "an argument is not known here", at: step.line(of: "args"))
            }
            if !words.isEmpty { members.append(.init(name: "args", value: .words(words))) }
        }
        if !environment.isEmpty {
            let variables = environment.map { WanderfileValue.Member(name: $0.name, value: .quoted($0.value)) }
            members.append(.init(name: "env", value: .map(variables)))
        }
        if case .flag(false)? = step.option("privileged") { members.append(.init(name: "as", value: .plain("user"))) }
        if case .flag(true)? = step.option("sensitive") {
            members.append(.init(name: "sensitive", value: .plain("true")))
        }
        return members
    }

    /// Adds a step with the name and the time that the provisioner has.
    func addStep(_ step: VagrantStep, _ members: [WanderfileValue.Member], _ result: inout WanderfileMachine) {
        var members = members
        switch step.option("run")?.symbolOrText {
        case "always": members.append(.init(name: "when", value: .plain("always")))
        case "never": members.append(.init(name: "when", value: .plain("manual")))
        case nil, "once": break
        case let other?:
            remarks.changed("provision run: \"\(other)\"", "the step runs as others do", at: step.line)
        }
        for order in ["before", "after"] where step.option(order) != nil {
            remarks.changed("provision \(order)", "steps run in the order of the file", at: step.line)
        }
        addStep(step.name, at: step.line, members, &result)
    }

    func addStep(
        _ name: String?, at line: Int, _ members: [WanderfileValue.Member], _ result: inout WanderfileMachine
    ) {
        var members = members
        if let name = name.map({ OneLine.text(RubyPlaceholder.withoutVariables($0), limit: 90) }), !name.isEmpty {
            let known = result.items(of: "provision").compactMap { item -> String? in
                guard case .map(let members) = item.value, let first = members.first, first.name == "name",
                    case .text(let text) = first.value
                else { return nil }
                return text
            }
            var unique = VagrantText.filled(name)
            var number = 2
            while known.contains(unique) {
                unique = "\(VagrantText.filled(name)) (\(number))"
                number += 1
            }
            members.insert(.init(name: "name", value: .text(unique)), at: 0)
        }
        result.add(.map(members), to: "provision", line: line)
    }

    // MARK: - Files

    private func convertFile(_ step: VagrantStep, _ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        let subject = "provision \"file\""
        func setting(_ name: String) -> VagrantSetting? {
            step.option(name).map { VagrantSetting(value: $0, line: step.line(of: name)) }
        }
        guard let source = setting("source").flatMap({ text($0, subject) }),
            let given = setting("destination").flatMap({ text($0, subject) }), !source.isEmpty, !given.isEmpty
        else {
            if setting("source") == nil || setting("destination") == nil {
                remarks.dropped(subject, "it has no source or no destination", at: step.line)
            }
            return
        }
        let user = user(machine, result)
        var place = RubyPlaceholder.withoutVariables(given)
        if place.hasPrefix("~/") || place.hasPrefix("$HOME/") {
            place = "/home/\(user)/" + place.drop { $0 != "/" }.dropFirst()
        } else if !place.hasPrefix("/") {
            place = "/home/\(user)/" + (place == "~" || place == "$HOME" || place == "." ? "" : place)
        }
        let file = Self.path(source)
        let name = file.split(separator: "/").last.map(String.init) ?? ""
        if place.hasSuffix("/") { place += name }
        if place.hasSuffix("/.") { place.removeLast(2) }
        place = RubyPaths.normalized(place)
        guard place.hasPrefix("/"), place != "/", !place.contains("..") else {
            return remarks.dropped(subject, "'\(given.prefix(60))' is not a place for a file", at: step.line)
        }
        let isKnown = result.items(of: "files").contains { item in
            guard case .map(let members) = item.value else { return false }
            return members.first?.value == .text(place)
        }
        guard !isKnown else { return remarks.changed(subject, "'\(place)' is there already", at: step.line) }
        var members: [WanderfileValue.Member] = [
            .init(name: "path", value: .text(place)),
            .init(
                name: "source", value: .text(VagrantText.filled(file.hasSuffix("/.") ? String(file.dropLast(2)) : file))
            ),
            .init(name: "owner", value: .quoted("\(user):\(user)")),
        ]
        let isProgram = file.hasSuffix(".sh") || file.hasSuffix(".py")
        if isProgram { members.append(.init(name: "mode", value: .quoted("0755"))) }
        if !result.items(of: "provision").isEmpty {
            remarks.changed(subject, "files are there before the first step", at: step.line)
        }
        result.add(.map(members), to: "files", line: step.line)
        remarks.taken(subject, as: "files: \(place)", at: step.line)
    }
}
