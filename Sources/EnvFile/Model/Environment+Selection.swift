import Reporting

extension Environment {
    /// The machines that a user's arguments mean, in the order of the file.
    /// - Parameter arguments: Names of machines, names of groups made by `count`, or patterns with `*` and `?`. None:
    ///   every machine.
    /// - Throws: ``EnvFileError/noSuchMachine(_:known:)`` for the first argument that means nothing.
    public func machines(matching arguments: [String]) throws(EnvFileError) -> [MachineDefinition] {
        guard !arguments.isEmpty else { return machines }
        var selected: Set<String> = []
        for argument in arguments {
            let isPattern = argument.contains("*") || argument.contains("?")
            let found = machines.filter { machine in
                isPattern
                    ? GlobPattern(argument).matches(machine.name)
                    : machine.name == argument || machine.group == argument
            }
            guard !found.isEmpty else { throw .noSuchMachine(argument, known: machines.map(\.name)) }
            selected.formUnion(found.map(\.name))
        }
        return machines.filter { selected.contains($0.name) }
    }

    /// Every dependency before what depends on it; reversed for the way down.
    public func inDependencyOrder(_ machines: [MachineDefinition]) -> [MachineDefinition] {
        // Circles were refused when the environment was loaded.
        (try? DependencyOrder.sorted(machines)) ?? machines
    }
}
