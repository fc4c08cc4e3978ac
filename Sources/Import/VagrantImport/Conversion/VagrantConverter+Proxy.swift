import EnvFile
import RubyReader

/// The proxies of vagrant-proxyconf.
extension VagrantConverter {
    private static let hostVariables: Set<String> = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]

    func convertProxy(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        if case .flag(false)? = machine.settings["proxy.enabled"]?.value { return }
        var members: [WanderfileValue.Member] = []
        var line = 0
        var isHost = false
        for name in ["http", "https"] {
            let places = ["proxy", "env_proxy", "apt_proxy"].map { "\($0).\(name)" }
            guard let place = places.first(where: { isGiven(machine.settings[$0]) }),
                let setting = machine.settings[place]
            else { continue }
            if line == 0 { line = setting.line }
            if case .environment(let variable) = setting.value, Self.hostVariables.contains(variable) {
                isHost = true
                remarks.taken(place, as: "proxy: host", at: setting.line)
                continue
            }
            guard let text = text(setting, place), let address = address(text, place, at: setting.line) else {
                continue
            }
            members.append(.init(name: name, value: .quoted(address)))
            remarks.taken(place, as: "proxy: { \(name): \(address) }", at: setting.line)
            if place.hasPrefix("apt") {
                remarks.changed(
                    place, "the proxy is for everything in the machine, not for apt alone", at: setting.line)
            }
        }
        if isHost { members.insert(.init(name: "url", value: .plain("host")), at: 0) }
        guard !members.isEmpty else { return }
        members += exceptions(machine)
        result.set("proxy", .map(members), line: line)
    }

    /// Whether a setting is there and does not turn the proxy off.
    private func isGiven(_ setting: VagrantSetting?) -> Bool {
        switch setting?.value {
        case nil, .null, .flag(false): false
        case .string(let text): !RubyPlaceholder.withoutVariables(text).isEmpty
        default: true
        }
    }

    private func address(_ text: String, _ subject: String, at line: Int) -> String? {
        guard !RubyPlaceholder.withoutVariables(text).isEmpty else {
            remarks.dropped(subject, "the variable has no default", at: line)
            return nil
        }
        let plain = settled(text, subject, at: line)
        let address = plain.contains("://") ? plain : "http://\(plain)"
        guard ProxyURL(address) != nil else {
            remarks.dropped(subject, "'\(plain.prefix(60))' is not a proxy's URL", at: line)
            return nil
        }
        return VagrantText.filled(address)
    }

    private func exceptions(_ machine: EffectiveMachine) -> [WanderfileValue.Member] {
        let places = ["proxy.no_proxy", "env_proxy.no_proxy"]
        guard let place = places.first(where: { isGiven(machine.settings[$0]) }), let setting = machine.settings[place]
        else { return [] }
        // With the host's own variables, its exceptions are taken too.
        if case .environment = setting.value { return [] }
        let given = setting.value.items?.compactMap(\.text).joined(separator: ",") ?? text(setting, place) ?? ""
        let plain = settled(given, place, at: setting.line)
        let words = plain.split { $0 == "," || $0 == " " }.map(String.init)
        let isPlain: (String) -> Bool = { word in
            word.utf8.count <= 256
                && word.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                        || ".:*_/[]-".utf8.contains($0)
                }
        }
        for word in words where !isPlain(word) {
            remarks.dropped(place, "'\(word.prefix(60))' is neither a name nor an address", at: setting.line)
        }
        let taken = words.filter(isPlain).prefix(100)
        guard !taken.isEmpty else { return [] }
        remarks.taken(place, as: "proxy: no_proxy", at: setting.line)
        return [.init(name: "no_proxy", value: .words(taken.map { .quoted($0) }))]
    }
}
