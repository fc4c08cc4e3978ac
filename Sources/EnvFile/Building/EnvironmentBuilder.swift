import NetworkAddress
import Reporting
import SystemPackage
import YAML

/// Makes the environment from the merged layers.
struct EnvironmentBuilder {
    /// Machines of one environment.
    static let machineLimit = 256
    /// Values of all machines together, defaults counted for each.
    static let valueLimit = 50_000

    let context: BuildContext
    var reader: ValueReader
    let file: FilePath

    var problems: Problems { context.problems }

    init(context: BuildContext, reader: ValueReader, file: FilePath) {
        self.context = context
        self.reader = reader
        self.file = file
    }

    mutating func environment(_ root: Node, project: Record, sources: [FilePath]) -> Environment? {
        let name = project.text("name") ?? Self.cleanedName(context.project.lastComponent?.string ?? "")
        reader.variables.builtIn["project.name"] = name
        let networks = networks(project, root)
        let groups = groups(root)
        let builder = MachineBuilder(context: context, networks: networks, host: reader.variables.host)
        var machines: [MachineDefinition] = []
        var marks: [String: Mark] = [:]
        var leftOut: Set<String> = []
        for group in groups {
            for member in group.members {
                select(member, named: member.name)
                let path = "machines.\(member.name)"
                guard let record = reader.record(group.node.mapping ?? [], mark: group.mark, as: .machine, path: path)
                else { continue }
                guard !record.isLeftOut else {
                    leftOut.insert(member.name)
                    continue
                }
                guard let machine = builder.machine(record, member, of: group) else { continue }
                guard marks.updateValue(group.mark, forKey: member.name) == nil else {
                    problems.report(
                        "two machines are called '\(member.name)'",
                        hint: group.names.map { _ in
                            "Put '${\(member.row == nil ? "machine.index" : "each.key")}' into 'names'."
                        }, at: group.names ?? group.mark)
                    continue
                }
                attribute(machine, record)
                machines.append(machine)
            }
        }
        reader.variables.row = nil
        if machines.isEmpty, let first = groups.first, !leftOut.isEmpty {
            problems.report(
                "no machine is left: every 'if' says no",
                hint: "A machine without 'if' is always there.", at: first.node.entry("if")?.value.mark ?? first.mark)
        }
        var environment = Environment(
            name: name, projectDirectory: context.project, file: file, sources: sources, networks: networks,
            machines: machines, warnings: [])
        addWork(root, to: &environment)
        EnvironmentChecks(
            problems: problems, marks: marks, origins: reader.origins, containers: reader.containers,
            groups: groups.map(\.name), leftOut: leftOut
        ).check(&environment)
        guard !problems.hasErrors else { return nil }
        environment.texts = problems.sources
        environment.places = reader.origins
        environment.warnings = problems.sorted
        return environment
    }

    /// Says of values that are counted or chosen for a machine where they come from.
    private mutating func attribute(_ machine: MachineDefinition, _ record: Record) {
        let path = "machines.\(machine.name)"
        if machine.ports.count != record.list("ports").count {
            reader.attributeItems(of: "\(path).ports", count: machine.ports.count, keys: ObjectType.port.keys)
        }
        let addresses = record.list("networks").first?.record?.list("ip") ?? []
        if addresses.indices.contains(machine.index - 1) {
            reader.origins["\(path).networks[0].ip"] = addresses[machine.index - 1].mark
        }
    }

    /// A single machine names its network itself.
    private func networks(_ project: Record, _ root: Node) -> [NetworkDefinition] {
        if root["machines"] == nil, let place = root["networks"]?.sequence?.first {
            let name = (place["name"] ?? place).scalar.flatMap { ScalarType.isName($0) ? $0 : nil }
            return [NetworkDefinition(name: name ?? NetworkDefinition.standard.name, subnet: nil, internet: true)]
        }
        let entries = project.map("networks")
        if entries.count > 1 {
            problems.report(
                "more than one network is not supported yet", hint: "All machines of an environment share one network.",
                at: entries[1].mark)
        }
        let networks = entries.prefix(1).map { entry in
            let record = entry.value.record
            return NetworkDefinition(
                name: entry.name, subnet: record?.subnet("subnet"), internet: record?.flag("internet") ?? true)
        }
        return networks.isEmpty ? [.standard] : networks
    }

    // MARK: - Machines

    private mutating func groups(_ root: Node) -> [MachineGroup] {
        let defaults = defaults(root)
        var definitions: [Node.Entry] = []
        let atTop = (root.mapping ?? []).filter { entry in
            ObjectType.singleFormNames.contains(entry.name) || entry.isPlaceInNetwork
        }
        if let machines = root.entry("machines") {
            for entry in atTop {
                problems.report(
                    entry.isPlaceInNetwork
                        ? "a list of 'networks' is beside 'machines'" : "'\(entry.name)' is beside 'machines'",
                    hint: "Put it into one of the machines, or under 'defaults' for all of them.", at: entry.mark)
            }
            definitions = self.definitions(machines)
        } else if !atTop.isEmpty || !(defaults.mapping ?? []).isEmpty {
            definitions = [Node.Entry(name: "default", mark: root.mark, value: .mapping(atTop, at: root.mark))]
        } else if !problems.hasErrors {
            problems.report(
                "there is no machine in this file", hint: "Add 'box: NAME', such as 'box: debian/12'.", at: root.mark)
        }
        return expand(definitions, defaults: defaults)
    }

    private func defaults(_ root: Node) -> Node {
        guard let node = root["defaults"], !node.isNull else { return .mapping([], at: root.mark) }
        guard node.mapping == nil else { return node }
        problems.report("'defaults' must be a map, not \(node.kindName)", at: node.mark)
        return .mapping([], at: root.mark)
    }

    /// The entries below `machines` that can be a machine.
    private func definitions(_ machines: Node.Entry) -> [Node.Entry] {
        guard let entries = machines.value.mapping, !entries.isEmpty else {
            if machines.value.isNull || machines.value.mapping != nil {
                problems.report(
                    "'machines' is empty", hint: "Add a machine, such as 'web: { box: debian/12 }'.", at: machines.mark)
            } else {
                problems.report(
                    "'machines' must be a map from names to machines, not \(machines.value.kindName)",
                    at: machines.value.mark)
            }
            return []
        }
        return entries.filter { entry in
            guard ScalarType.isName(entry.name) else {
                problems.report(
                    "'\(entry.name.prefix(64))' in 'machines' must be \(MapNames.names.expected)", at: entry.mark)
                return false
            }
            guard entry.value.mapping != nil || entry.value.isNull else {
                problems.report(
                    "the machine '\(entry.name)' must be a map, not \(entry.value.kindName)",
                    hint: "Write its keys below its name, such as 'box: debian/12'.", at: entry.value.mark)
                return false
            }
            return true
        }
    }

    /// A folder's name as the name of an environment.
    static func cleanedName(_ folder: String) -> String {
        var name = ""
        for byte in folder.lowercased().utf8 {
            let isFine = (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
            if isFine {
                name.append(Character(Unicode.Scalar(byte)))
            } else if !name.isEmpty, !name.hasSuffix("-") {
                name += "-"
            }
        }
        if let first = name.utf8.first, (0x30...0x39).contains(first) { name = "env-" + name }
        name = String(name.prefix(39))
        while name.hasSuffix("-") { name.removeLast() }
        return name.isEmpty ? "environment" : name
    }
}

extension Node.Entry {
    /// A machine's own networks where those of the environment could be, too.
    var isPlaceInNetwork: Bool { name == "networks" && value.sequence != nil }
}

extension ObjectType {
    static let singleFormNames = Set(singleFormKeys.map(\.name))
}
