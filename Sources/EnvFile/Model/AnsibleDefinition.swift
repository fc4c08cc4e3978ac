public import JSON

/// What a Wanderfile says about Ansible's view of its machines.
public struct AnsibleDefinition: Hashable, Sendable {
    public struct Group: Hashable, Sendable {
        public var name: String
        /// In the order of the file.
        public var machines: [String]
        /// Names of groups.
        public var children: [String]
        public var variables: [JSONMember]
    }

    /// In the order of the file.
    public var groups: [Group] = []
    /// Of every machine.
    public var variables: [JSONMember] = []
    /// Of single machines, by their names.
    public var hostVariables: [JSONMember] = []
    /// In the order of the file.
    public var playbooks: [ProjectPlaybook] = []

    /// nil where the file says nothing.
    var canonicalJSON: JSONValue? {
        guard self != AnsibleDefinition() else { return .none }
        return [
            "groups": .object(
                groups.map {
                    JSONMember(
                        $0.name,
                        [
                            "machines": .strings($0.machines), "children": .strings($0.children),
                            "vars": .object($0.variables),
                        ])
                }),
            "vars": .object(variables), "host_vars": .object(hostVariables),
            "playbooks": .array(playbooks.map(\.canonicalJSON)),
        ]
    }
}
