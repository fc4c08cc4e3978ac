import RubyReader

/// Boxes.
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
        let plain = settled(name, "vm.box", at: setting.line)
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
        let text = version.flatMap { self.text($0, "vm.box_version") }.map { RubyPlaceholder.withoutVariables($0) }
        guard let text, Self.isVersionRange(text) else {
            if let version, let text {
                remarks.dropped("vm.box_version", "'\(text.prefix(40))' is not a range of versions", at: version.line)
            }
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
}
