import NetworkAddress
import RubyReader

/// Forwarded ports.
extension VagrantConverter {
    func convertPorts(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        for network in machine.networks {
            switch network.kind {
            case "forwarded_port": convertPort(network, &result)
            case "public_network":
                remarks.dropped(
                    "public_network", "there is no bridge without root: 'ports' lead into a machine from outside",
                    at: network.line)
            case "private_network": break
            default: remarks.dropped("network \"\(network.kind)\"", "it is not a kind of network", at: network.line)
            }
        }
    }

    private func convertPort(_ network: VagrantNetwork, _ result: inout WanderfileMachine) {
        let options = network.options
        if case .flag(true)? = options.named("disabled") { return }
        func setting(_ name: String) -> VagrantSetting? {
            options.named(name).map { VagrantSetting(value: $0, line: network.line) }
        }
        let bounds = 1...65_535
        guard let guest = setting("guest").flatMap({ number($0, "forwarded_port", in: bounds) }) else {
            if options.named("guest") == nil {
                remarks.dropped("forwarded_port", "it names no port of the machine", at: network.line)
            }
            return
        }
        var host: VagrantNumber?
        if let given = setting("host") {
            host = number(given, "forwarded_port", in: bounds)
            if host == nil { return }
        }
        if guest.text == "22" || options.named("id")?.text == "ssh" {
            guard let host else { return }
            if hostPorts.insert("\(host.value)/tcp").inserted {
                return addToSSH("port", host.text, at: network.line, &result)
            }
            return remarks.changed(
                "forwarded_port", "another machine has the port \(host.text): 'wander ssh' needs none", at: network.line
            )
        }
        let isDatagram = options.named("protocol")?.text == "udp"
        var mayMove = if case .flag(true)? = options.named("auto_correct") { true } else { false }
        if let host, !mayMove, !hostPorts.insert("\(host.value)/\(isDatagram ? "udp" : "tcp")").inserted {
            remarks.changed(
                "forwarded_port", "another machine has the port \(host.text): '\(result.name)' has the next free one",
                at: network.line)
            mayMove = true
        }
        let value = port(guest, host, address(network), isDatagram: isDatagram, mayMove: mayMove)
        result.add(value, to: "ports", line: network.line)
        remarks.taken("forwarded_port", as: "ports: \(host.map { "\($0.text):" } ?? "")\(guest.text)", at: network.line)
    }

    /// The host's address that listens; nil: wander's own default.
    private func address(_ network: VagrantNetwork) -> String? {
        guard let given = network.options.named("host_ip")?.text, !given.isEmpty else { return nil }
        let text = settled(given, "forwarded_port", at: network.line)
        guard text != "localhost" else { return nil }
        guard let address = IPv4Address(text == "*" ? "0.0.0.0" : text) else {
            remarks.changed(
                "forwarded_port", "'\(text.prefix(40))' is not an IPv4 address: 127.0.0.1 listens", at: network.line)
            return nil
        }
        return address == IPv4Address.loopback ? nil : address.description
    }

    private func port(
        _ guest: VagrantNumber, _ host: VagrantNumber?, _ bind: String?, isDatagram: Bool, mayMove: Bool
    ) -> WanderfileValue {
        let isPlain = guest.isFixed && host?.isFixed ?? true
        if isPlain, !mayMove, let host {
            let places = [bind, host.text, guest.text].compactMap(\.self).joined(separator: ":")
            return .quoted("\(places)\(isDatagram ? "/udp" : "")")
        }
        if isPlain, !mayMove, bind == nil { return isDatagram ? .quoted("\(guest.text)/udp") : .plain(guest.text) }
        var members: [WanderfileValue.Member] = [.init(name: "guest", value: .plain(guest.text))]
        if let host { members.append(.init(name: "host", value: .plain(host.text))) }
        if let bind { members.append(.init(name: "bind", value: .plain(bind))) }
        if isDatagram { members.append(.init(name: "proto", value: .plain("udp"))) }
        if mayMove { members.append(.init(name: "on_conflict", value: .plain("next"))) }
        return .map(members)
    }
}
