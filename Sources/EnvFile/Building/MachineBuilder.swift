import NetworkAddress
import Reporting
import YAML

/// Makes a machine's definition from its values.
struct MachineBuilder {
    /// Forwards of one machine: a few ranges in a hostile file would make millions.
    static let portLimit = 1024

    let context: BuildContext
    let networks: [NetworkDefinition]
    /// wander's own environment.
    let host: [String: String]

    private var problems: Problems { context.problems }

    /// nil if something that a machine needs is missing; then it has been reported.
    func machine(_ record: Record, _ member: MachineGroup.Member, of group: MachineGroup) -> MachineDefinition? {
        guard let boxRecord = record.record("box"), let box = box(boxRecord) else {
            if record["box"] == nil {
                problems.report(
                    "the machine '\(group.name)' has no box", hint: "Add 'box: NAME', such as 'box: debian/12'.",
                    at: group.mark)
            }
            return nil
        }
        let ssh = record.record("ssh")
        let surroundings = SurroundingsBuilder(context: context, host: host)
        let (proxy, proxyPorts) = surroundings.proxy(record)
        let secrets = surroundings.secrets(record)
        return MachineDefinition(
            name: member.name, group: group.name, index: member.index, box: box,
            hostname: record.text("hostname") ?? member.name, cpus: record.integer("cpus") ?? 1,
            memory: record.bytes("memory") ?? 0, disk: record.bytes("disk"),
            firmware: record.choice("firmware") ?? .auto, user: record.text("user"),
            cloudInit: cloudInit(record),
            ssh: .init(port: ssh?.portNumber("port"), forwardAgent: ssh?.flag("forward_agent") ?? false),
            ports: ports(record), hostPorts: hostPorts(record) + proxyPorts,
            shares: ShareBuilder(context: context).shares(record),
            networks: attachments(record, member, countsAddresses: group.countsAddresses),
            environment: record.texts("env"),
            proxy: proxy, caCertificates: surroundings.certificates(record), secrets: secrets,
            files: FileBuilder(context: context).files(record),
            provision: StepBuilder(context: context).steps(record, secrets: secrets.map(\.name)),
            hooks: HookBuilder(context: context).hooks(record, isOfMachine: true),
            ready: StepBuilder(context: context).probes(record), dependsOn: dependencies(record),
            autostart: record.flag("autostart") ?? true, isPrimary: record.flag("primary") ?? false,
            stopTimeout: record.record("stop")?.duration("timeout") ?? .zero,
            bootTimeout: record.duration("boot_timeout") ?? .zero, message: record.text("message"),
            labels: record.texts("labels"), provider: provider(record))
    }

    private func box(_ record: Record) -> BoxReference? {
        guard let reference = record["ref"], let text = reference.text else { return nil }
        let source: BoxReference.Source
        if text.contains("://") {
            source = .url(text)
        } else if text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix("/") || text.hasPrefix("~/")
            || text.hasSuffix(".box")
        {
            source = .path(context.hostPath(text, at: reference.mark))
        } else {
            source = .name(text)
        }
        if case .name = source {
        } else if let version = record["version"] {
            problems.report(
                "'version' is for boxes with a name; '\(text)' is a file", hint: "Pin it with 'digest'.",
                at: version.mark)
        }
        return BoxReference(
            source: source, versionConstraint: record.versions("version"), digest: record.text("digest"))
    }

    private func ports(_ record: Record) -> [PortDefinition] {
        var forwards: [PortDefinition] = []
        for value in record.list("ports") {
            if case .ports(let range) = value.scalar {
                guard forwards.count + range.guest.count <= Self.portLimit else {
                    problems.report("'ports' has more than \(Self.portLimit) ports", at: value.mark)
                    return forwards
                }
                for (offset, guest) in range.guest.enumerated() {
                    let host = range.host.map { $0.lowerBound + UInt16(offset) }
                    forwards.append(
                        PortDefinition(
                            name: nil, bind: range.bind ?? IPv4Address.loopback, hostPort: host, guestPort: guest,
                            transport: range.transport, onConflict: .fail))
                }
            } else if let port = value.record, let guest = port.portNumber("guest") {
                guard forwards.count < Self.portLimit else {
                    problems.report("'ports' has more than \(Self.portLimit) ports", at: value.mark)
                    return forwards
                }
                forwards.append(
                    PortDefinition(
                        name: port.text("name"), bind: port.address("bind") ?? IPv4Address.loopback,
                        hostPort: port.portNumber("host"), guestPort: guest, transport: port.choice("proto") ?? .tcp,
                        onConflict: port.choice("on_conflict") ?? .fail))
            }
        }
        return forwards
    }

    private func hostPorts(_ record: Record) -> [HostPorts] {
        let values = record.list("host_ports")
        // Not an error: a layer on top, such as one for CI, may cut the way out and mean just this.
        if let value = values.first, networks.contains(where: { !$0.internet }) {
            problems.report(
                "'host_ports' has no effect in a network with 'internet: false'",
                hint: "Such a machine reaches nothing outside of its environment.", at: value.mark,
                severity: .warning)
        }
        return values.compactMap { value in
            if case .hostPorts(let ports) = value.scalar { ports } else { nil }
        }
    }

    private func attachments(
        _ record: Record, _ member: MachineGroup.Member, countsAddresses: Bool
    ) -> [NetworkAttachment] {
        guard let value = record["networks"], let items = value.list else {
            return networks.prefix(1).map { NetworkAttachment(network: $0.name, address: nil) }
        }
        guard items.count == 1 else {
            let message = items.isEmpty ? "a machine needs a network" : "more than one network is not supported yet"
            problems.report(message, hint: "wander reaches its machines by the network.", at: value.mark)
            return []
        }
        return items.compactMap { item in
            guard let place = item.record else { return nil }
            let known = networks.map(\.name)
            let name = place.text("name") ?? known.first ?? ""
            guard known.contains(name) else {
                problems.report(
                    "there is no network '\(name)'",
                    hint: Suggestion.didYouMean(name, in: known) ?? "There is \(known.joined(separator: ", ")).",
                    at: place["name"]?.mark ?? item.mark)
                return nil
            }
            var address = place.address("ip")
            if let addresses = place["ip"]?.list, addresses.indices.contains(member.index - 1),
                case .address(let own) = addresses[member.index - 1].scalar
            {
                address = own
            } else if countsAddresses {
                address = address.map { IPv4Address(rawValue: $0.rawValue &+ UInt32(member.index - 1)) }
            }
            return NetworkAttachment(network: name, address: address)
        }
    }

    private func cloudInit(_ record: Record) -> FileDefinition.Content? {
        guard let given = record.record("cloud_init"), let content = FileBuilder(context: context).content(given)
        else { return nil }
        if case .text(let text) = content, !UserDataText.isKnown(text.utf8) {
            problems.report(
                "cloud-init does not know what 'cloud_init' is: it must \(UserDataText.expected)",
                at: given["content"]?.mark ?? .builtIn)
        }
        return content
    }

    private func dependencies(_ record: Record) -> [MachineDefinition.Dependency] {
        record.map("depends_on").map { entry in
            .init(machine: entry.name, condition: entry.value.record?.choice("condition") ?? .ready)
        }
    }

    private func provider(_ record: Record) -> MachineDefinition.Provider {
        let provider = record.record("provider")
        let emulation = provider?.record("emulation")
        return .init(
            kind: provider?.choice("type") ?? .auto,
            emulation: .init(
                processor: emulation?.text("cpu") ?? "max", translationCache: emulation?.bytes("cache") ?? 256 << 20))
    }
}
