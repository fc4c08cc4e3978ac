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
        guard let guest = setting("guest").flatMap({ number($0, "forwarded_port") }) else {
            if options.named("guest") == nil {
                remarks.dropped("forwarded_port", "it names no port of the machine", at: network.line)
            }
            return
        }
        let host = setting("host").flatMap { number($0, "forwarded_port") }
        for port in [guest, host].compactMap(\.self) where Int(port).map({ !(1...65_535).contains($0) }) ?? false {
            return remarks.dropped("forwarded_port", "\(port) is not a port", at: network.line)
        }
        if guest == "22" || options.named("id")?.text == "ssh" {
            if let host, Int(host) != nil, hostPorts.insert("\(host)/tcp").inserted {
                addToSSH("port", host, at: network.line, &result)
            }
            return
        }
        let isDatagram = options.named("protocol")?.text == "udp"
        var mayMove = if case .flag(true)? = options.named("auto_correct") { true } else { false }
        if let host, !mayMove, !hostPorts.insert("\(host)/\(isDatagram ? "udp" : "tcp")").inserted {
            remarks.changed(
                "forwarded_port", "another machine has the port \(host): '\(result.name)' has the next free one",
                at: network.line)
            mayMove = true
        }
        let value = port(guest, host, address(network), isDatagram: isDatagram, mayMove: mayMove)
        result.add(value, to: "ports", line: network.line)
        remarks.taken("forwarded_port", as: "ports: \(host.map { "\($0):" } ?? "")\(guest)", at: network.line)
    }

    /// The host's address that listens; nil: wander's own default.
    private func address(_ network: VagrantNetwork) -> String? {
        guard let text = network.options.named("host_ip")?.text, !text.isEmpty, text != "localhost" else { return nil }
        guard let address = IPv4Address(text == "*" ? "0.0.0.0" : text) else {
            remarks.changed(
                "forwarded_port", "'\(text.prefix(40))' is not an IPv4 address: 127.0.0.1 listens", at: network.line)
            return nil
        }
        return address == IPv4Address.loopback ? nil : address.description
    }

    private func port(
        _ guest: String, _ host: String?, _ bind: String?, isDatagram: Bool, mayMove: Bool
    ) -> WanderfileValue {
        let isPlain = Int(guest) != nil && (host.map { Int($0) != nil } ?? true)
        if isPlain, !mayMove, let host {
            let places = [bind, host, guest].compactMap(\.self).joined(separator: ":")
            return .quoted("\(places)\(isDatagram ? "/udp" : "")")
        }
        if isPlain, !mayMove, bind == nil { return isDatagram ? .quoted("\(guest)/udp") : .plain(guest) }
        var members: [WanderfileValue.Member] = [.init(name: "guest", value: .plain(guest))]
        if let host { members.append(.init(name: "host", value: .plain(host))) }
        if let bind { members.append(.init(name: "bind", value: .plain(bind))) }
        if isDatagram { members.append(.init(name: "proto", value: .plain("udp"))) }
        if mayMove { members.append(.init(name: "on_conflict", value: .plain("next"))) }
        return .map(members)
    }
}
