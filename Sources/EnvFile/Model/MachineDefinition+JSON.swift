public import JSON
import NetworkAddress
import YAML

/// Definitions as JSON with the keys of the Wanderfile, every default filled in, always in the same order: equal
/// definitions give equal text, which hashes and comparisons with an earlier definition use.
extension MachineDefinition {
    public var canonicalJSON: JSONValue {
        .compactObject([
            ("box", box.canonicalJSON), ("hostname", .string(hostname)), ("cpus", .integer(Int64(cpus))),
            ("memory", .string(SizeText.format(memory))), ("disk", disk.map { .string(SizeText.format($0)) }),
            ("firmware", firmware == .auto ? nil : .string(firmware.rawValue)),
            ("user", user.map(JSONValue.string)),
            ("cloud_init", cloudInit.map { .compactObject([$0.canonicalMember]) }),
            (
                "ssh",
                .compactObject([
                    ("port", ssh.port.map { .integer(Int64($0)) }), ("forward_agent", .bool(ssh.forwardAgent)),
                ])
            ),
            ("ports", .array(ports.map(\.canonicalJSON))),
            ("host_ports", .strings(hostPorts.map(\.description))),
            ("shares", .array(shares.map(\.canonicalJSON))),
            (
                "networks",
                .array(
                    networks.map {
                        .compactObject([
                            ("name", .string($0.network)), ("ip", $0.address.map { .string($0.description) }),
                        ])
                    })
            ),
            ("env", .textObject(environment)), ("proxy", proxy?.canonicalJSON),
            ("ca_certificates", caCertificates.isEmpty ? nil : .strings(caCertificates.map(\.text))),
            (
                "secrets",
                secrets.isEmpty ? nil : .object(secrets.map { JSONMember($0.name, $0.canonicalJSON) })
            ),
            ("files", .array(files.map(\.canonicalJSON))),
            ("provision", .array(provision.map(\.canonicalJSON))), ("hooks", hooks.canonicalJSON),
            ("ready", .array(ready.map(\.canonicalJSON))),
            (
                "depends_on",
                .object(
                    dependsOn.map { JSONMember($0.machine, ["condition": .string($0.condition.rawValue)]) })
            ),
            ("autostart", .bool(autostart)), ("primary", .bool(isPrimary)),
            ("stop", ["timeout": .string(DurationText.format(stopTimeout))]),
            ("boot_timeout", .string(DurationText.format(bootTimeout))), ("message", message.map(JSONValue.string)),
            ("labels", .textObject(labels)),
            (
                "provider",
                [
                    "type": .string(provider.kind.rawValue),
                    "emulation": [
                        "cpu": .string(provider.emulation.processor),
                        "cache": .string(SizeText.format(provider.emulation.translationCache)),
                    ],
                ]
            ),
        ])
    }
}

extension BoxReference {
    public var canonicalJSON: JSONValue {
        .compactObject([
            ("ref", .string(description)), ("version", versionConstraint.map { .string($0.description) }),
            ("digest", digest.map(JSONValue.string)),
        ])
    }
}

extension PortDefinition {
    public var canonicalJSON: JSONValue {
        .compactObject([
            ("guest", .integer(Int64(guestPort))), ("host", hostPort.map { .integer(Int64($0)) }),
            ("proto", .string(transport.rawValue)), ("bind", .string(bind.description)),
            ("name", name.map(JSONValue.string)), ("on_conflict", .string(onConflict.rawValue)),
        ])
    }
}

extension SharedFolder {
    public var canonicalJSON: JSONValue {
        [
            "host": .string(host.text), "guest": .string(guest), "mode": .string(mode.rawValue),
            "create": .bool(createsHost),
        ]
    }
}

extension ProxyDefinition {
    /// Without passwords: this is shown, and written down.
    public var canonicalJSON: JSONValue {
        .compactObject([
            ("http", (http?.masked).map(JSONValue.string)), ("https", (https?.masked).map(JSONValue.string)),
            ("no_proxy", exceptions.isEmpty ? nil : .strings(exceptions)),
        ])
    }
}

extension SecretDefinition {
    /// Where it comes from, never what it is.
    public var canonicalJSON: JSONValue {
        switch source {
        case .environment(let name): ["env": .string(name)]
        case .file(let path): ["file": .string(path.text)]
        case .command(let command): ["run": .string(command)]
        }
    }
}

extension FileDefinition {
    public var canonicalJSON: JSONValue {
        var members: [(String, JSONValue?)] = [("path", .string(path)), content.canonicalMember]
        let digits = String(mode, radix: 8)
        members.append(("mode", .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)))
        members.append(("owner", owner.map(JSONValue.string)))
        return .compactObject(members)
    }
}

extension FileDefinition.Content {
    fileprivate var canonicalMember: (String, JSONValue?) {
        switch self {
        case .text(let text): ("content", .string(text))
        case .source(let source): ("source", .string(source.text))
        }
    }
}

extension ProvisionerDefinition {
    public var canonicalJSON: JSONValue {
        var members: [(String, JSONValue?)] = [("name", .string(name))]
        switch action {
        case .inline(let text): members.append(("run", .string(text)))
        case .script(let path): members.append(("script", .string(path.text)))
        case .ansible(let playbook):
            return .compactObject(
                members + [
                    ("ansible", playbook.canonicalJSON), ("args", .strings(arguments)),
                    ("env", .textObject(environment)),
                    ("when", .string(when.rawValue)), ("timeout", .string(timeout.map(DurationText.format) ?? "never")),
                    ("sensitive", .bool(isSensitive)),
                    ("secrets", secrets.isEmpty ? Optional<JSONValue>.none : .strings(secrets)),
                ])
        case .file(let file):
            return .compactObject(
                members + [
                    ("file", file.canonicalJSON), ("when", .string(when.rawValue)), ("sensitive", .bool(isSensitive)),
                ])
        case .restart: return .compactObject(members + [("reboot", .bool(true)), ("when", .string(when.rawValue))])
        }
        members += [
            ("args", .strings(arguments)), ("env", .textObject(environment)), ("as", .string(user.rawValue)),
            ("when", .string(when.rawValue)), ("timeout", .string(timeout.map(DurationText.format) ?? "never")),
            ("sensitive", .bool(isSensitive)), ("reboot", mayRestart ? .bool(true) : nil),
            ("tty", hasTerminal ? .bool(true) : nil), ("secrets", secrets.isEmpty ? nil : .strings(secrets)),
        ]
        return .compactObject(members)
    }
}

extension ProbeDefinition {
    public var canonicalJSON: JSONValue {
        let check: (String, JSONValue?) =
            switch check {
            case .tcp(let port): ("tcp", .integer(Int64(port)))
            case .run(let command): ("run", .string(command))
            case .http(let url): ("http", .string(url))
            case .file(let path): ("file", .string(path))
            }
        return .compactObject([
            ("name", .string(name)), check, ("timeout", .string(DurationText.format(timeout))),
            ("interval", .string(DurationText.format(interval))), ("hint", hint.map(JSONValue.string)),
        ])
    }
}

extension Environment {
    /// Every machine under its own name, those of a `count` too.
    public var canonicalJSON: JSONValue {
        .compactObject([
            ("name", .string(name)),
            (
                "networks",
                .object(
                    networks.map {
                        JSONMember(
                            $0.name,
                            .compactObject([
                                ("subnet", $0.subnet.map { .string($0.description) }), ("internet", .bool($0.internet)),
                            ]))
                    })
            ),
            ("ansible", ansible.canonicalJSON), ("hooks", hooks.canonicalJSON),
            ("tasks", tasks.canonicalJSON),
            ("machines", .object(machines.map { JSONMember($0.name, $0.canonicalJSON) })),
        ])
    }
}

extension JSONValue {
    /// An object without the members that have no value.
    static func compactObject(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { name, value in value.map { JSONMember(name, $0) } })
    }

    static func textObject(_ values: [String: String]) -> JSONValue {
        .object(values.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
    }
}
