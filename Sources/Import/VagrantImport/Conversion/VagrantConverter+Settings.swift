import RubyReader

/// The settings that machines have one of.
extension VagrantConverter {
    func convertSettings(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        for (name, setting) in machine.settings.sorted(by: { ($0.value.line, $0.key) < ($1.value.line, $1.key) }) {
            switch name {
            case "vm.hostname", "vm.host_name": convertHostname(setting, &result)
            case "vm.post_up_message":
                if let text = text(setting, name, isImportant: false), !text.isEmpty {
                    result.set("message", .text(VagrantText.filled(text)), line: setting.line)
                }
            case "vm.boot_timeout":
                if let seconds = number(setting, name, in: 1...86_400) {
                    result.set("boot_timeout", seconds.with("s"), line: setting.line)
                }
            case "vm.graceful_halt_timeout":
                if let seconds = number(setting, name, in: 1...3600) {
                    result.set("stop", .map([.init(name: "timeout", value: seconds.with("s"))]), line: setting.line)
                }
            case "ssh.forward_agent":
                if case .flag(true) = setting.value { addToSSH("forward_agent", "true", at: setting.line, &result) }
            case "ssh.username": convertUser(setting, &result)
            default: tell(name, setting)
            }
        }
    }

    func addToSSH(_ name: String, _ value: String, at line: Int, _ result: inout WanderfileMachine) {
        var members: [WanderfileValue.Member] = []
        if case .map(let old)? = result["ssh"]?.value { members = old }
        members.removeAll { $0.name == name }
        members.append(.init(name: name, value: .plain(value)))
        result.set("ssh", .map(members), line: result["ssh"]?.line ?? line)
        remarks.taken("ssh.\(name)", as: "ssh: { \(name): \(value) }", at: line)
    }

    private func convertHostname(_ setting: VagrantSetting, _ result: inout WanderfileMachine) {
        guard let text = text(setting, "vm.hostname") else { return }
        let plain = settled(text, "vm.hostname", at: setting.line)
        var name = plain.replacing("_", with: "-")
        name = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
        let isValid =
            !name.isEmpty && name.utf8.count <= 253
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
                (1...63).contains($0.count) && !$0.hasPrefix("-") && !$0.hasSuffix("-")
            }
        guard isValid else {
            return remarks.dropped("vm.hostname", "'\(plain.prefix(60))' cannot be a host name", at: setting.line)
        }
        if name != plain { remarks.changed("vm.hostname", "the name is '\(name)'", at: setting.line) }
        guard hostnames.insert(name.lowercased()).inserted else {
            return remarks.changed(
                "vm.hostname", "another machine has the name '\(name)': '\(result.name)' has its own", at: setting.line)
        }
        remarks.taken("vm.hostname", as: "hostname: \(name)", at: setting.line)
        if name != result.name { result.set("hostname", .text(name), line: setting.line) }
    }

    private func convertUser(_ setting: VagrantSetting, _ result: inout WanderfileMachine) {
        guard let text = text(setting, "ssh.username") else { return }
        let name = settled(text, "ssh.username", at: setting.line)
        guard name != "vagrant" else { return }
        let isName =
            name.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x5f
            }
            && name.utf8.first.map { (0x61...0x7a).contains($0) || $0 == 0x5f } == true && name.utf8.count <= 32
        guard isName, name != "root" else {
            return remarks.changed("ssh.username", "the user is another one than '\(name)'", at: setting.line)
        }
        result.set("user", .text(name), line: setting.line)
        remarks.taken("ssh.username", as: "user: \(name)", at: setting.line)
    }

    /// The user who logs in, as far as the Vagrantfile says.
    func user(_ machine: EffectiveMachine, _ result: WanderfileMachine) -> String {
        if case .text(let name)? = result["user"]?.value { name } else { "vagrant" }
    }
}
