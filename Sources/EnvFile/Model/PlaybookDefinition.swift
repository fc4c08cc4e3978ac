public import JSON

/// A playbook of Ansible's, and how it is run.
public struct PlaybookDefinition: Hashable, Sendable {
    public enum Place: String, Hashable, Sendable, CaseIterable {
        /// By the host's own Ansible, over SSH.
        case host
        /// By an Ansible in the machine, on the machine itself.
        case guest
    }

    public var playbook: HostPath
    public var runIn: Place
    /// A pattern of Ansible's; nil: the machine, or the machines that it is for.
    public var limit: String?
    public var tags: [String]
    public var skipTags: [String]
    /// Variables above all others.
    public var variables: [JSONMember]
    /// Whether tasks run as root unless they say otherwise.
    public var becomes: Bool
    /// A configuration file; nil: what Ansible finds.
    public var configuration: HostPath?
    /// A file of roles and collections to install first.
    public var galaxy: HostPath?
    public var vaultPasswordFile: HostPath?
    /// Files and folders that the playbook uses, besides those beside it.
    public var inputs: [HostPath]

    /// Every file and folder of the host that the file names.
    public var hostPaths: [HostPath] {
        [playbook] + [configuration, galaxy, vaultPasswordFile].compactMap(\.self) + inputs
    }

    var canonicalJSON: JSONValue {
        .compactObject([
            ("playbook", .string(playbook.text)), ("run_in", .string(runIn.rawValue)),
            ("limit", limit.map(JSONValue.string)), ("tags", .strings(tags)), ("skip_tags", .strings(skipTags)),
            ("extra_vars", .object(variables)), ("become", .bool(becomes)),
            ("config", configuration.map { .string($0.text) }), ("galaxy", galaxy.map { .string($0.text) }),
            ("vault_password_file", vaultPasswordFile.map { .string($0.text) }),
            ("inputs", .strings(inputs.map(\.text))),
        ])
    }
}

/// A playbook for several machines, which runs once when they are ready.
public struct ProjectPlaybook: Hashable, Sendable {
    /// Unique in its file.
    public var name: String
    public var definition: PlaybookDefinition
    /// The names of its machines, in the order of the file.
    public var machines: [String]
    public var arguments: [String]
    public var environment: [String: String]
    public var when: ProvisionerDefinition.When
    /// nil: none.
    public var timeout: Duration?
    public var isSensitive: Bool

    var canonicalJSON: JSONValue {
        [
            "name": .string(name), "ansible": definition.canonicalJSON, "machines": .strings(machines),
            "args": .strings(arguments), "env": .textObject(environment), "when": .string(when.rawValue),
            "timeout": .string(timeout.map(DurationText.format) ?? "never"), "sensitive": .bool(isSensitive),
        ]
    }
}
