public import BoxFormat
public import EnvFile
public import LinuxSystem
public import Reporting
public import SystemPackage

/// A project that a command works on: its Wanderfile, its state, and where its events go.
public final class Project: Sendable {
    public struct Settings: Sendable {
        /// The command line, shown to other commands that find the machine locked.
        public var command: String
        /// How long to wait for another command that holds a machine, in milliseconds.
        public var lockWaitMilliseconds: Int64 = 0
        /// From `--provider`; nil: the Wanderfile decides.
        public var provider: ProviderKind?
        /// Whether the lock file may be changed.
        public var locked = false
        /// Where wander-vmm and wander-net are.
        public var programs: FilePath
        /// Where it is noted that there is this environment; nil: nowhere.
        var knownEnvironments = try? KnownEnvironments.standard()
        /// What tests bring; nil: ``MachineServices/standard(programs:)``.
        var services: MachineServices?

        public init(command: String, programs: FilePath) {
            self.command = command
            self.programs = programs
        }
    }

    public let environment: Environment
    public let layout: ProjectLayout
    public let store: MachineStore
    public let boxes: BoxStore
    public let settings: Settings
    public let events: any EventSink
    public let cancellation: Cancellation
    let services: MachineServices
    let network: any EnvironmentNetwork

    public init(
        _ environment: Environment, boxes: BoxStore, settings: Settings, events: any EventSink,
        cancellation: Cancellation
    ) {
        self.environment = environment
        layout = ProjectLayout(project: environment.projectDirectory)
        store = MachineStore(layout: layout)
        self.boxes = boxes
        self.settings = settings
        self.events = events
        self.cancellation = cancellation
        services = settings.services ?? .standard(programs: settings.programs)
        network = services.network(layout)
    }

    /// Every machine of the Wanderfile in its order, then those that only the state still knows.
    public var machines: [Machine] {
        get throws(SystemError) {
            let defined = environment.machines.map { Machine(project: self, name: $0.name, definition: $0) }
            let names = Set(environment.machines.map(\.name))
            let left = try layout.machineNames().filter { !names.contains($0) }
            return defined + left.map { Machine(project: self, name: $0, definition: nil) }
        }
    }

    /// The machines that the words of a command line name: names, group names, patterns with `*` and `?`, and
    /// regular expressions between slashes.
    /// - Parameter words: Empty: all of them.
    /// - Throws: ``ProviderError/noSuchMachine(_:suggestion:)``
    public func machines(named words: [String], includingUndefined: Bool = true) throws -> [Machine] {
        let all = try machines.filter { includingUndefined || $0.definition != nil }
        guard !words.isEmpty else { return all }
        var chosen: Set<String> = []
        for word in words {
            let selector = MachineSelector(word)
            let found = all.filter { selector.matches(name: $0.name, group: $0.definition?.group) }
            guard !found.isEmpty else {
                throw ProviderError.noSuchMachine(word, suggestion: nearest(to: word, in: all.map(\.name)))
            }
            chosen.formUnion(found.map(\.name))
        }
        return all.filter { chosen.contains($0.name) }
    }

    /// The machines that depend on a machine: they stop before it.
    public func dependents(of machine: Machine) -> Set<String> {
        Set(environment.machines.filter { $0.dependsOn.contains { $0.machine == machine.name } }.map(\.name))
    }

    /// The one machine that a command for a single machine means.
    public func machine(named word: String?) throws -> Machine {
        if let word {
            if let exact = try machines.first(where: { $0.name == word }) { return exact }
            let found = try machines(named: [word])
            if found.count == 1 { return found[0] }
        }
        guard word == nil, let primary = environment.primaryMachine else {
            throw ProviderError.noSuchMachine(word ?? "default", suggestion: nil)
        }
        return Machine(project: self, name: primary.name, definition: primary)
    }
}
