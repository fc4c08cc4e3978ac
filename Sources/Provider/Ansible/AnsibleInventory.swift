import EnvFile
public import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import SSH
public import SystemPackage

/// What Ansible is told of an environment: its machines that run, how ssh(1) reaches them, groups and variables.
///
/// A machine's address there is its own for ever: Ansible keeps connections for a while, by their address, and must not
/// meet a machine of another environment with the same name.
public struct AnsibleInventory: Sendable {
    public struct Group: Sendable, Hashable {
        public var name: String
        public var machines: [String]
        public var children: [String] = []
        public var variables: [JSONMember] = []
    }

    /// Each machine's variables, with those by which it is reached.
    public private(set) var hosts: [JSONMember] = []
    public private(set) var groups: [Group] = []
    /// The names of machines that do not run.
    public private(set) var missing: [String] = []
    private let variables: [JSONMember]

    /// - Parameters:
    ///   - machines: The machines of the project that it is about.
    ///   - program: wander's own executable, which carries connections.
    public init(_ project: Project, _ machines: [Machine], program: FilePath) throws {
        let network = machines.isEmpty ? nil : project.networkStatus()
        var hosts: [JSONMember] = []
        var missing: [String] = []
        for machine in machines {
            guard try [.running, .starting].contains(machine.state().state) else {
                missing.append(machine.name)
                continue
            }
            var members = Self.connection(try machine.sshConfiguration(program: program))
            members.append(JSONMember("wander_environment", .string(project.environment.name)))
            if let address = network?.machine(machine.name)?.address.description {
                members.append(JSONMember("wander_address", .string(address)))
            }
            hosts.append(JSONMember(machine.name, .object(members)))
        }
        self.init(project.environment, hosts: hosts)
        self.missing = missing
    }

    /// - Parameter hosts: What is known of each machine, besides what the Wanderfile says.
    init(_ environment: Environment, hosts: [JSONMember]) {
        let definition = environment.ansible
        variables = definition.variables
        self.hosts = hosts.map { host in
            let own = definition.hostVariables.first { $0.name == host.name }?.value.objectValue ?? []
            return JSONMember(host.name, .object(Self.merge(host.value.objectValue ?? [], own)))
        }
        let names = Set(hosts.map(\.name))
        groups = Self.groups(environment, definition).map { group in
            var group = group
            group.machines.removeAll { !names.contains($0) }
            return group
        }
    }

    /// How ssh(1) reaches a machine, in Ansible's words.
    static func connection(_ block: SSHConfigBlock) -> [JSONMember] {
        var members: [JSONMember] = []
        var options: [String] = []
        for (name, value) in block.settings {
            switch name {
            case "User": members.append(JSONMember("ansible_user", .string(value)))
            case "Port": members.append(JSONMember("ansible_port", .integer(Int64(value) ?? 22)))
            default: options += ["-o", ShellQuoting.quote("\(name)=\(value)")]
            }
        }
        members.append(JSONMember("ansible_host", .string(block.hostKeyAlias ?? block.host)))
        members.append(JSONMember("ansible_ssh_common_args", .string(options.joined(separator: " "))))
        return members
    }

    /// Groups in the order of the file, after those that `count` and labels make.
    private static func groups(_ environment: Environment, _ definition: AnsibleDefinition) -> [Group] {
        var derived: [Group] = []
        func add(_ machine: String, to name: String) {
            let taken = ["all", "ungrouped"].contains(name) || environment.machines.contains { $0.name == name }
            guard !taken else { return }
            if let index = derived.firstIndex(where: { $0.name == name }) {
                derived[index].machines.append(machine)
            } else {
                derived.append(Group(name: name, machines: [machine]))
            }
        }
        for machine in environment.machines {
            if machine.group != machine.name { add(machine.name, to: groupName(machine.group)) }
            for (key, value) in machine.labels.sorted(by: { $0.key < $1.key }) {
                add(machine.name, to: groupName("\(key)_\(value)"))
            }
        }
        for group in definition.groups {
            var own = Group(
                name: group.name, machines: group.machines, children: group.children, variables: group.variables)
            // One that the file names too is the same group.
            if let index = derived.firstIndex(where: { $0.name == group.name }) {
                own.machines = environment.machines.map(\.name)
                    .filter { derived[index].machines.contains($0) || own.machines.contains($0) }
                derived.remove(at: index)
            }
            derived.append(own)
        }
        return derived
    }

    /// Ansible takes letters, digits and `_`, and no digit first.
    static func groupName(_ text: String) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isFine = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            name.unicodeScalars.append(isFine ? scalar : "_")
        }
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return "_" + name }
        return name
    }

    private static func merge(_ lower: [JSONMember], _ upper: [JSONMember]) -> [JSONMember] {
        lower.filter { member in !upper.contains { $0.name == member.name } } + upper
    }
}

extension AnsibleInventory {
    /// The answer of a dynamic inventory to `--list`, with every machine's variables at once.
    public var dynamicList: JSONValue {
        let children = groups.map(\.name).filter { name in !groups.contains { $0.children.contains(name) } }
        let all: JSONValue = [
            "hosts": .strings(hosts.map(\.name)), "vars": .object(variables), "children": .strings(children),
        ]
        let rest = groups.map { group in
            JSONMember(
                group.name,
                [
                    "hosts": .strings(group.machines), "vars": .object(group.variables),
                    "children": .strings(group.children),
                ])
        }
        return .object([JSONMember("_meta", ["hostvars": .object(hosts)]), JSONMember("all", all)] + rest)
    }

    /// The same as an inventory that is a file.
    public var tree: JSONValue {
        func part(_ name: String, _ value: JSONValue) -> [JSONMember] {
            value.objectValue?.isEmpty == true ? [] : [JSONMember(name, value)]
        }
        func names(_ names: [String]) -> JSONValue { .object(names.map { JSONMember($0, [:]) }) }
        let children = groups.map { group in
            JSONMember(
                group.name,
                .object(
                    part("hosts", names(group.machines)) + part("children", names(group.children))
                        + part("vars", .object(group.variables))))
        }
        return [
            "all": .object(
                part("hosts", .object(hosts)) + part("vars", .object(variables)) + part("children", .object(children)))
        ]
    }

    /// What `--host` answers: the variables of one machine; nil if it does not run.
    public func variables(of machine: String) -> JSONValue? { hosts.first { $0.name == machine }?.value }
}
