/// Machines that wait for each other: none could ever start.
public struct DependencyCycle: Error, Hashable, Sendable {
    /// The names from a machine along its dependencies back to itself.
    public var path: [String]
}

/// The order in which machines come up.
public enum DependencyOrder {
    /// The machines, each after everything that it depends on, otherwise in their own order.
    ///
    /// Dependencies on machines outside of `machines` do not count.
    public static func sorted(_ machines: [MachineDefinition]) throws(DependencyCycle) -> [MachineDefinition] {
        var visitor = Visitor(machines)
        for machine in machines { try visitor.visit(machine.name) }
        return visitor.sorted
    }

    private struct Visitor {
        enum State { case open, done }
        let byName: [String: MachineDefinition]
        var states: [String: State] = [:]
        var path: [String] = []
        var sorted: [MachineDefinition] = []

        init(_ machines: [MachineDefinition]) {
            byName = Dictionary(machines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        }

        // As deep as the longest chain, which the number of machines bounds.
        mutating func visit(_ name: String) throws(DependencyCycle) {
            guard let machine = byName[name] else { return }
            switch states[name] {
            case .done: return
            case .open:
                let start = path.firstIndex(of: name) ?? path.startIndex
                throw DependencyCycle(path: path[start...] + [name])
            case nil: break
            }
            states[name] = .open
            path.append(name)
            for dependency in machine.dependsOn { try visit(dependency.machine) }
            path.removeLast()
            states[name] = .done
            sorted.append(machine)
        }
    }
}
