import YAML

/// From what the layers have to the machines that are to be made of it.
extension EnvironmentBuilder {
    private static let multiplying: Set<String> = ["count", "for_each", "names"]

    mutating func expand(_ definitions: [Node.Entry], defaults: Node) -> [MachineGroup] {
        var groups: [MachineGroup] = []
        var machineCount = 0
        var valueCount = 0
        for entry in definitions {
            let own = entry.value.isNull ? .mapping([], at: entry.mark) : entry.value
            valueCount += defaults.size + own.size
            guard valueCount <= Self.valueLimit else { return tooLarge(entry.mark) }
            let whole = NodeMerge.merge(defaults, with: own, as: .object(.machine))
            let rest = (whole.mapping ?? []).filter { !Self.multiplying.contains($0.name) }
            var group = MachineGroup(
                name: entry.name, mark: entry.mark, node: .mapping(rest, at: whole.mark), members: [])
            guard let members = members(of: whole, in: &group) else { continue }
            group.members = members
            machineCount += members.count
            valueCount += (members.count - 1) * group.node.size
            guard machineCount <= Self.machineLimit else {
                problems.report("more than \(Self.machineLimit) machines", at: entry.mark)
                return []
            }
            guard valueCount <= Self.valueLimit else { return tooLarge(entry.mark) }
            group.checkAddresses(problems)
            groups.append(group)
        }
        return groups
    }

    private func tooLarge(_ mark: Mark) -> [MachineGroup] {
        problems.report("more than \(Self.valueLimit) values, with 'defaults' counted for each machine", at: mark)
        return []
    }

    /// nil if there is no telling; then it has been reported.
    private mutating func members(of node: Node, in group: inout MachineGroup) -> [MachineGroup.Member]? {
        reader.variables.builtIn["machine.name"] = nil
        reader.variables.builtIn["machine.index"] = nil
        reader.variables.row = nil
        let path = "machines.\(group.name)"
        let table = node.entry("for_each").flatMap { $0.value.isNull ? nil : $0 }
        let count = node.entry("count").flatMap { $0.value.isNull ? nil : $0 }
        let names = node.entry("names").flatMap { $0.value.isNull ? nil : $0 }
        if let table, count != nil {
            problems.report(
                "'count' and 'for_each' both say how many machines there are", hint: "Remove one of them.",
                at: table.mark)
            return nil
        }
        var members: [MachineGroup.Member]
        if let table {
            guard let rows = reader.read(table.value, as: .rows, path: path + ".for_each")?.map else { return nil }
            members = rows.enumerated().map { index, row in
                let columns = (row.value.map ?? []).map { ("each.\($0.name)", $0.value.text ?? "") }
                let values = Dictionary(columns + [("each.key", row.name)], uniquingKeysWith: { $1 })
                return .init(name: "\(group.name)-\(row.name)", index: index + 1, row: values)
            }
        } else if let count {
            let type = ScalarType.integer(1...64)
            // What is wrong with it has been said; the machine is looked at all the same.
            let number = reader.read(count.value, as: .scalar(type), path: path + ".count")?.scalar
            guard case .integer(let number) = number else { return [.init(name: group.name, index: 1)] }
            members = (1...number).map { .init(name: "\(group.name)-\($0)", index: $0) }
        } else {
            if let names {
                problems.report(
                    "'names' is for the machines that 'count' or 'for_each' makes",
                    hint: "A machine is called what its key below 'machines' says.", at: names.mark)
            }
            return [.init(name: group.name, index: 1)]
        }
        guard let names else { return members }
        group.names = names.mark
        for index in members.indices {
            select(members[index], named: nil)
            let value = reader.read(names.value, as: .scalar(.name), path: path + ".names")
            guard let text = value?.text else { return nil }
            members[index].name = text
        }
        return members
    }

    /// Lets `${machine...}` and `${each...}` stand for a machine.
    mutating func select(_ member: MachineGroup.Member, named name: String?) {
        reader.variables.builtIn["machine.name"] = name
        reader.variables.builtIn["machine.index"] = "\(member.index)"
        reader.variables.row = member.row
    }
}
