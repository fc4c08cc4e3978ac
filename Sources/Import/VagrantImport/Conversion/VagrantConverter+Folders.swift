import EnvFile
import RubyReader

/// Synced folders.
extension VagrantConverter {
    /// Shares of a machine.
    private static let limit = 16

    func convertFolders(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        var isProjectShared = false
        var isOff = false
        for folder in machine.folders {
            let isProject = folder.host.text == "." || folder.guest.text == "/vagrant"
            if case .flag(true)? = folder.options.named("disabled") {
                if isProject { isOff = true }
                remarks.taken("synced_folder (off)", as: "no share", at: folder.line)
                continue
            }
            if isProject { isProjectShared = true }
            convert(folder, machine, &result)
        }
        guard !isProjectShared, !isOff else { return }
        // What Vagrant shares without being told.
        var items = result.items(of: "shares")
        items.insert(WanderfileItem(.text(".:/vagrant"), line: 0), at: 0)
        result["shares"] = WanderfileItem(.list(items), line: 0)
    }

    private func convert(_ folder: VagrantFolder, _ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        let subject = "synced_folder"
        func setting(_ value: RubyValue) -> VagrantSetting { VagrantSetting(value: value, line: folder.line) }
        guard let host = text(setting(folder.host), subject), let given = text(setting(folder.guest), subject),
            !host.isEmpty
        else { return }
        var guest = settled(given, subject, at: folder.line)
        if guest.hasPrefix("~/") || guest.hasPrefix("$HOME/") {
            guest = "/home/\(user(machine, result))/" + guest.drop { $0 != "/" }.dropFirst()
        }
        if let problem = SharedFolder.problem(ofPlace: guest) {
            return remarks.dropped(subject, "it \(problem)", at: folder.line)
        }
        let isOfWindows = host.dropFirst().hasPrefix(":\\") || host.dropFirst().hasPrefix(":/")
        guard !isOfWindows else {
            return remarks.dropped(subject, "'\(host.prefix(60))' is a folder of Windows", at: folder.line)
        }
        guard result.items(of: "shares").count < Self.limit else {
            return remarks.dropped(subject, "a machine has at most \(Self.limit) shares", at: folder.line)
        }
        tellOptions(folder, user(machine, result))
        let path = VagrantText.filled(Self.path(host))
        var members: [WanderfileValue.Member] = [
            .init(name: "host", value: .text(path)), .init(name: "guest", value: .text(guest)),
        ]
        let isReadOnly = (folder.options.named("mount_options")?.items ?? []).contains {
            $0.text?.split(separator: ",").contains("ro") == true
        }
        if isReadOnly { members.append(.init(name: "mode", value: .plain("ro"))) }
        if case .flag(true)? = folder.options.named("create") {
            members.append(.init(name: "create", value: .plain("true")))
        } else if self.host.kind(of: RubyPlaceholder.withoutVariables(Self.path(host))) == .nothing {
            remarks.changed(
                subject, "there is no folder '\(Self.path(host))' yet, and the machine does not start without it",
                at: folder.line)
        }
        let isShort = members.count == 2 && !path.contains(":") && !guest.contains(":") && !guest.contains("$")
        result.add(isShort ? .text("\(path):\(guest)") : .map(members), to: "shares", line: folder.line)
        remarks.taken(subject, as: "shares: \(path):\(guest)", at: folder.line)
    }

    /// A path of the host without what needs not be there.
    static func path(_ text: String) -> String {
        var path = text.filter { !$0.isNewline }
        while path.hasSuffix("/"), path.count > 1 { path.removeLast() }
        while path.hasPrefix("./"), path.count > 2 { path.removeFirst(2) }
        return path
    }

    private func tellOptions(_ folder: VagrantFolder, _ user: String) {
        if let type = folder.options.named("type")?.symbolOrText {
            remarks.changed("synced_folder type \"\(type)\"", "the share is live in both directions", at: folder.line)
        }
        if folder.options.named("nfs") != nil {
            remarks.changed("synced_folder nfs", "the share is live in both directions", at: folder.line)
        }
        for name in ["owner", "group"] {
            guard let value = folder.options.named(name), !value.isNull else { continue }
            let other = value.text ?? "another one"
            let isSame = other == user
            remarks.dropped(
                "synced_folder \(name)",
                isSame
                    ? "the files are the login user's" : "the files are the login user's, and not those of '\(other)'",
                at: folder.line, isImportant: !isSame)
        }
        for name in ["rsync__exclude", "rsync__args"] where folder.options.named(name) != nil {
            remarks.dropped(
                "synced_folder \(name)", "a share is the folder as it is", at: folder.line, isImportant: false)
        }
    }
}
