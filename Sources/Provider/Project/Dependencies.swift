import EnvFile

extension Project {
    /// The machines, and those that they depend on, in an order in which they can start.
    /// - Returns: All of them, and those that only other machines need, each with one that needs it.
    public func withDependencies(_ chosen: [Machine]) throws -> (
        all: [Machine], added: [(machine: Machine, neededBy: String)]
    ) {
        let known = Dictionary(try machines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let names = Set(chosen.map(\.name))
        var seen: Set<String> = []
        var all: [Machine] = []
        var added: [(machine: Machine, neededBy: String)] = []
        // Depth first, so that what is needed comes first. A Wanderfile has no cycles; `seen` ends one all the same.
        func visit(_ machine: Machine, for other: String?) {
            guard seen.insert(machine.name).inserted else { return }
            for dependency in machine.definition?.dependsOn ?? [] {
                if let needed = known[dependency.machine] { visit(needed, for: machine.name) }
            }
            all.append(machine)
            if let other, !names.contains(machine.name) { added.append((machine, other)) }
        }
        for machine in chosen { visit(machine, for: nil) }
        return (all, added)
    }
}
