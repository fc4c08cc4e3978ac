import RubyReader

/// Box, sizes and the settings that machines have one of.
extension VagrantConverter {
    func convertBox(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        let url = machine.settings["vm.box_url"].flatMap { ($0.value.items?.first ?? $0.value).symbolOrText }
        guard let setting = machine.settings["vm.box"], let name = text(setting, "vm.box"),
            !RubyPlaceholder.withoutVariables(name).isEmpty
        else {
            result.set("box", .text("debian/13"), line: 0)
            if machine.settings["vm.box"] == nil {
                remarks.changed(
                    "vm.box", "the machine '\(machine.name)' has no box: debian/13 is taken", at: machine.line)
            }
            return
        }
        let plain = RubyPlaceholder.withoutVariables(name)
        if plain != name {
            remarks.changed("vm.box", "'\(plain)' is taken, whatever the environment says later", at: setting.line)
        }
        let choice = VagrantBoxes.choice(for: plain, url: url, keepsRelease: keepsRelease)
        if let remark = choice.remark { remarks.changed("vm.box = \"\(plain)\"", remark, at: setting.line) }
        let version = machine.settings["vm.box_version"]
        if choice.isKnown, !keepsRelease {
            if choice.remark == nil {
                remarks.taken("vm.box = \"\(plain)\"", as: "box: \(choice.name)", at: setting.line)
            }
            if let version {
                remarks.dropped(
                    "vm.box_version", "it is a version of Vagrant's box", at: version.line, isImportant: false)
            }
            // Its user has the name that scripts for Vagrant's boxes expect.
            result.set("user", .text("vagrant"), line: 0)
            return result.set("box", .text(choice.name), line: setting.line)
        }
        convertOwnBox(plain, url: url, version: version, at: setting.line, &result)
    }

    /// A box that somebody made, under its own name.
    private func convertOwnBox(
        _ name: String, url: String?, version: VagrantSetting?, at line: Int, _ result: inout WanderfileMachine
    ) {
        if let url, url.hasSuffix(".box"), url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !url.hasPrefix("-") {
            remarks.changed("vm.box = \"\(name)\"", "the box comes from its address", at: line)
            return result.set("box", .text(VagrantText.filled(url)), line: line)
        }
        let isUsable =
            name.utf8.allSatisfy { (0x21...0x7e).contains($0) } && !name.hasPrefix("-") && name.utf8.count < 1024
        guard isUsable else {
            remarks.dropped("vm.box", "'\(name.prefix(40))' cannot be the name of a box: debian/13 is taken", at: line)
            return result.set("box", .text("debian/13"), line: line)
        }
        remarks.changed(
            "vm.box = \"\(name)\"", "the name is kept: add the box with 'wander box add', or choose another", at: line)
        guard let version, let text = version.text, Self.isVersionRange(text) else {
            return result.set("box", .text(VagrantText.filled(name)), line: line)
        }
        let members: [WanderfileValue.Member] = [
            .init(name: "ref", value: .text(VagrantText.filled(name))), .init(name: "version", value: .quoted(text)),
        ]
        result.set("box", .map(members), line: line)
    }

    private static func isVersionRange(_ text: String) -> Bool {
        !text.isEmpty
            && text.split(separator: ",").allSatisfy { part in
                let version = part.drop { " ><=~!".contains($0) }
                return !version.isEmpty && version.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." || $0 == " ") }
                    && !part.contains("!")
            }
    }

    // MARK: - Sizes

    func convertSizes(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        let customized = customizations(machine)
        if let cpus = machine.providerSetting("cpus") ?? customized["cpus"], let text = number(cpus, "cpus") {
            if let count = Int(text), count > 255 {
                remarks.dropped("cpus", "more than 255 processors", at: cpus.line)
            } else {
                result.set("cpus", .plain(text), line: cpus.line)
                remarks.taken("cpus", as: "cpus: \(text)", at: cpus.line)
            }
        }
        let memory = machine.providerSetting("memory") ?? machine.providerSetting("memsize") ?? customized["memory"]
        if let memory, let text = number(memory, "memory") {
            let value = size(text, at: memory.line)
            result.set("memory", value, line: memory.line)
            remarks.taken("memory", as: "memory: \(WanderfileWriter.inline(value))", at: memory.line)
        }
        convertDisk(machine, &result)
    }

    /// Vagrant counts memory in MiB.
    private func size(_ mebibytes: String, at line: Int) -> WanderfileValue {
        guard let number = Int(mebibytes) else { return .quoted("\(mebibytes)MiB") }
        if number < 64 { remarks.changed("memory", "64MiB is the least", at: line) }
        let mebibytes = min(max(number, 64), 16 << 20)
        return .plain(mebibytes % 1024 == 0 ? "\(mebibytes / 1024)GiB" : "\(mebibytes)MiB")
    }

    /// `customize ["modifyvm", :id, "--memory", 1024]`: what of it has a key of its own, by that name.
    private func customizations(_ machine: EffectiveMachine) -> [String: VagrantSetting] {
        var found: [String: VagrantSetting] = [:]
        for provider in machine.providers where VagrantEnvironment.localProviders.contains(provider.name) {
            for call in provider.calls {
                guard call.name == "customize" else {
                    tell(call, of: provider)
                    continue
                }
                let words = call.arguments.first?.items ?? call.arguments
                let texts = words.map { $0.text ?? "" }
                if ["createhd", "createmedium", "storageattach", "storagectl"].contains(texts.first) {
                    remarks.dropped("customize", "a machine has one disk here: another one is left out", at: call.line)
                    continue
                }
                for (index, text) in texts.enumerated() where text.hasPrefix("--") {
                    let name = String(text.dropFirst(2))
                    let value = words.indices.contains(index + 1) ? words[index + 1] : .null
                    if name == "memory" || name == "cpus" {
                        found[name] = VagrantSetting(value: value, line: call.line)
                    } else if name != "name" {
                        remarks.dropped(
                            "customize \(text)", "a setting of \(provider.name)'s own", at: call.line,
                            isImportant: false)
                    }
                }
            }
            for (name, setting) in provider.settings where !["memory", "cpus", "machine_virtual_size"].contains(name) {
                remarks.dropped(
                    "\(provider.name): \(name)", "a setting of \(provider.name)'s own", at: setting.line,
                    isImportant: false)
            }
        }
        return found
    }

    private func tell(_ call: RubyCall, of provider: VagrantProvider) {
        if call.name == "storage" {
            remarks.dropped("storage", "a machine has one disk here: another one is left out", at: call.line)
        } else {
            remarks.dropped(
                "\(provider.name): \(call.name)", "a setting of \(provider.name)'s own", at: call.line,
                isImportant: false)
        }
    }

    private func convertDisk(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        if let size = machine.settings["disksize.size"], let text = size.text, let value = Self.diskSize(text) {
            result.set("disk", .plain(value), line: size.line)
        }
        if let size = machine.providerSetting("machine_virtual_size"), let text = number(size, "machine_virtual_size"),
            let gibibytes = Int(text), gibibytes <= 65_536
        {
            result.set("disk", .plain("\(gibibytes)GiB"), line: size.line)
        }
        for (name, setting) in machine.settings.sorted(by: { $0.key < $1.key }) where name.hasPrefix("vm.disk#") {
            guard case .table(let options)? = setting.value.items?.last else { continue }
            let isPrimary = if case .flag(true)? = options.named("primary") { true } else { false }
            if isPrimary, let text = options.named("size")?.text, let value = Self.diskSize(text) {
                result.set("disk", .plain(value), line: setting.line)
            } else {
                remarks.dropped("vm.disk", "a machine has one disk here: another one is left out", at: setting.line)
            }
        }
    }

    /// `40GB`, `40 GB`, or bytes.
    private static func diskSize(_ text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits), number > 0, number < 1 << 50 else { return nil }
        switch text.dropFirst(digits.count).filter({ $0 != " " }).uppercased() {
        case "TB", "T": return number <= 64 ? "\(number)TiB" : nil
        case "GB", "G": return number <= 65_536 ? "\(number)GiB" : nil
        case "MB", "M": return number >= 64 && number <= 1 << 26 ? "\(number)MiB" : nil
        case "": return number >= 64 << 20 ? "\(number >> 20)MiB" : nil
        default: return nil
        }
    }

    // MARK: - Settings

    func convertSettings(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        for (name, setting) in machine.settings.sorted(by: { ($0.value.line, $0.key) < ($1.value.line, $1.key) }) {
            switch name {
            case "vm.hostname", "vm.host_name": convertHostname(setting, &result)
            case "vm.post_up_message":
                if let text = text(setting, name, isImportant: false), !text.isEmpty {
                    result.set("message", .text(VagrantText.filled(text)), line: setting.line)
                }
            case "vm.boot_timeout":
                if let seconds = number(setting, name).flatMap({ Int($0) }), seconds <= 86_400 {
                    result.set("boot_timeout", .plain("\(seconds)s"), line: setting.line)
                }
            case "vm.graceful_halt_timeout":
                if let seconds = number(setting, name).flatMap({ Int($0) }), seconds <= 3600 {
                    result.set("stop", .map([.init(name: "timeout", value: .plain("\(seconds)s"))]), line: setting.line)
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
        let plain = RubyPlaceholder.withoutVariables(text)
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
        if name != text { remarks.changed("vm.hostname", "the name is '\(name)'", at: setting.line) }
        guard hostnames.insert(name.lowercased()).inserted else {
            return remarks.changed(
                "vm.hostname", "another machine has the name '\(name)': '\(result.name)' has its own", at: setting.line)
        }
        remarks.taken("vm.hostname", as: "hostname: \(name)", at: setting.line)
        if name != result.name { result.set("hostname", .text(name), line: setting.line) }
    }

    private func convertUser(_ setting: VagrantSetting, _ result: inout WanderfileMachine) {
        guard let name = text(setting, "ssh.username"), name != "vagrant" else { return }
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
