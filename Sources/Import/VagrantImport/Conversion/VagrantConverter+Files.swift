import RubyReader

/// Files that are copied.
extension VagrantConverter {
    func convertFile(_ step: VagrantStep, _ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
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
        var place = settled(given, subject, at: step.line)
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
        if host.kind(of: RubyPlaceholder.withoutVariables(file)) == .nothing {
            remarks.changed(
                subject, "there is no '\(file)' yet, and the machine does not start without it", at: step.line)
        }
        if !result.items(of: "provision").isEmpty {
            remarks.changed(subject, "files are there before the first step", at: step.line)
        }
        result.add(.map(members), to: "files", line: step.line)
        remarks.taken(subject, as: "files: \(place)", at: step.line)
    }
}
