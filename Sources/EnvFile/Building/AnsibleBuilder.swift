import JSON
import YAML

/// Makes what a Wanderfile says about Ansible from its values.
struct AnsibleBuilder {
    let context: BuildContext
    let machines: [MachineDefinition]
    private var problems: Problems { context.problems }

    init(context: BuildContext, machines: [MachineDefinition]) {
        self.context = context
        self.machines = machines
    }

    func definition(_ record: Record?) -> AnsibleDefinition {
        guard let record else { return AnsibleDefinition() }
        let entries = record.map("groups")
        let groups = entries.map { entry in
            let words = entry.value.record?.list("machines") ?? []
            let selectors = words.compactMap { value in value.text.map { MachineSelector($0) } }
            let members = machines.filter { machine in
                selectors.contains { $0.matches(name: machine.name, group: machine.group) }
            }
            return AnsibleDefinition.Group(
                name: entry.name, machines: members.map(\.name),
                children: entry.value.record?.list("children").compactMap(\.text) ?? [],
                variables: entry.value.record?.freeValues("vars") ?? [])
        }
        for entry in entries { check(entry, among: groups.map(\.name)) }
        checkCircles(groups, entries)
        return AnsibleDefinition(
            groups: groups, variables: record.freeValues("vars"), hostVariables: hostVariables(record),
            playbooks: PlaybookBuilder(context: context).playbooks(record, for: machines))
    }

    /// A machine's own win over those of the name that `count` multiplies.
    private func hostVariables(_ record: Record) -> [JSONMember] {
        let entries = record.map("host_vars")
        for entry in entries where !machines.contains(where: { $0.name == entry.name || $0.group == entry.name }) {
            reportUnknown(entry.name, at: entry.mark)
        }
        func values(_ name: String) -> [JSONMember] {
            (entries.first { $0.name == name }?.value.map ?? []).compactMap { variable in
                variable.value.free.map { JSONMember(variable.name, $0) }
            }
        }
        return machines.compactMap { machine in
            let own = values(machine.name)
            let shared = machine.group == machine.name ? [] : values(machine.group)
            let merged = shared.filter { member in !own.contains { $0.name == member.name } } + own
            return merged.isEmpty ? nil : JSONMember(machine.name, .object(merged))
        }
    }

    private func check(_ entry: Value.MapEntry, among names: [String]) {
        if ["all", "ungrouped"].contains(entry.name) {
            problems.report(
                "'\(entry.name)' is a group of Ansible's own",
                hint: "Variables of every machine are in 'ansible: { vars: ... }'.", at: entry.mark)
        }
        if machines.contains(where: { $0.name == entry.name }) {
            problems.report("the group '\(entry.name)' has the name of a machine", at: entry.mark)
        }
        for value in entry.value.record?.list("machines") ?? [] {
            guard let word = value.text else { continue }
            let selector = MachineSelector(word)
            if !machines.contains(where: { selector.matches(name: $0.name, group: $0.group) }) {
                reportUnknown(word, at: value.mark)
            }
        }
        for value in entry.value.record?.list("children") ?? [] {
            guard let name = value.text, !names.contains(name) else { continue }
            problems.report(
                "there is no group '\(name)' in 'ansible'", hint: Suggestion.didYouMean(name, in: names), at: value.mark
            )
        }
    }

    private func reportUnknown(_ word: String, at mark: Mark) {
        problems.report(
            "there is no machine '\(word.prefix(64))'",
            hint: Suggestion.didYouMean(word, in: machines.map(\.name)), at: mark)
    }

    private func checkCircles(_ groups: [AnsibleDefinition.Group], _ entries: [Value.MapEntry]) {
        // Whoever is left when those without open children are taken away is in a circle, or above one.
        var open = Dictionary(groups.map { ($0.name, Set($0.children)) }, uniquingKeysWith: { $1 })
        while let done = open.first(where: { $0.value.allSatisfy { open[$0] == nil } })?.key { open[done] = nil }
        guard let entry = entries.first(where: { open[$0.name] != nil }) else { return }
        problems.report("the group '\(entry.name)' is in a circle of 'children'", at: entry.mark)
    }
}

extension EnvironmentBuilder {
    /// Adds what is about several machines, or beside them.
    mutating func addWork(_ root: Node, to environment: inout Environment) {
        reader.variables.builtIn["machine.name"] = nil
        reader.variables.builtIn["machine.index"] = nil
        let entries = (root.mapping ?? []).filter { ObjectType.work.key($0.name) != nil }
        guard let work = reader.record(entries, mark: root.mark, as: .work, path: "") else { return }
        environment.ansible = AnsibleBuilder(context: context, machines: environment.machines)
            .definition(work.record("ansible"))
        environment.tasks = TaskBuilder(context: context, machines: environment.machines).tasks(work)
        environment.hooks = HookBuilder(context: context).hooks(work, isOfMachine: false)
    }
}
