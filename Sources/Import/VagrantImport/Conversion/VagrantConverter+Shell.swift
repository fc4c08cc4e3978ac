import RubyReader

/// Scripts.
extension VagrantConverter {
    func convertShell(_ step: VagrantStep, _ result: inout WanderfileMachine) {
        var members: [WanderfileValue.Member] = []
        var environment = environment(step)
        if let path = step.option("path") {
            let setting = VagrantSetting(value: path, line: step.line(of: "path"))
            guard let text = text(setting, "provision \"shell\""), !text.isEmpty else { return }
            members = script(at: text, step, &environment)
        } else if let inline = step.option("inline") {
            let setting = VagrantSetting(value: inline, line: step.line(of: "inline"))
            if let unknown = inline.firstUnknown, Self.isForKey(unknown) {
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

    /// Whether a script that is not known in full only lets the host's key log in, as the login user.
    private static func isForKey(_ unknown: RubyUnknown) -> Bool {
        guard unknown.reason.contains(".pub'"), !unknown.known.contains("root") else { return false }
        let lines = unknown.known.split(separator: "\n").filter { line in
            let words = line.drop { $0 == " " || $0 == "\t" }
            return !words.isEmpty && !words.hasPrefix("#")
        }
        return lines.allSatisfy { $0.contains(".ssh") }
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

    /// Arguments in one text. A default of several words is taken as it is: a variable is one argument.
    private func words(_ text: String, at line: Int) -> [RubyValue] {
        var hasSeveral = false
        _ = RubyPlaceholder.resolved(text) { _, fallback in
            if ShellText.words(fallback ?? "").count > 1 { hasSeveral = true }
            return ""
        }
        return ShellText.words(hasSeveral ? settled(text, "provision args", at: line) : text).map { .string($0) }
    }

    private func details(
        _ step: VagrantStep, _ environment: [(name: String, value: String)]
    ) -> [WanderfileValue.Member] {
        var members: [WanderfileValue.Member] = []
        if let arguments = step.option("args") {
            let items = arguments.items ?? words(arguments.text ?? "", at: step.line(of: "args"))
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
}
