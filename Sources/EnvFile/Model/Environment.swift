public import Reporting
public import SystemPackage
import YAML

/// What the Wanderfile and the layers around it say, decoded and checked.
public struct Environment: Hashable, Sendable {
    public var name: String
    /// Absolute: the folder of the Wanderfile.
    public var projectDirectory: FilePath
    /// Absolute: the Wanderfile.
    public var file: FilePath
    /// Every file that was read, in the order of the layers.
    public var sources: [FilePath]
    public var networks: [NetworkDefinition]
    /// In the order of the file, those of a group in the order of their numbers.
    public var machines: [MachineDefinition]
    /// Where each value comes from. The keys are paths in ``canonicalJSON``, such as `machines.web.cpus`.
    public var origins: [String: SourceLocation] { places.mapValues { texts[$0.source].location(of: $0) } }
    /// The layers' texts, and where in them each value is.
    var texts: [SourceText] = []
    var places: [String: Mark] = [:]
    /// What Ansible is told of the machines.
    public var ansible = AnsibleDefinition()
    /// The project's own, in the order of the file, event by event.
    public var hooks: [HookDefinition] = []
    /// In the order of the file.
    public var tasks: [TaskDefinition] = []
    /// Problems that do not stop anything from working.
    public var warnings: [Diagnostic]

    public func machine(named name: String) -> MachineDefinition? { machines.first { $0.name == name } }

    /// The machine that commands for a single machine take when none is named.
    public var primaryMachine: MachineDefinition? { machines.first(where: \.isPrimary) ?? machines.first }
}
