import Reporting
import YAML

/// What can only be seen when all machines are known: names, ports and addresses against each other, and the order.
struct EnvironmentChecks {
    let problems: Problems
    /// Where each machine is named.
    let marks: [String: Mark]
    let origins: [String: Mark]
    let containers: [String: Mark]
    let groups: [String]
    /// Machines that their condition leaves out: what depends on them has nothing to wait for.
    let leftOut: Set<String>

    func check(_ environment: inout Environment) {
        resolveDependencies(&environment)
        checkPrimary(environment)
        AddressChecks(problems: problems, marks: marks, origins: origins).check(&environment)
        checkHostnames(environment)
        PortChecks(problems: problems, origins: origins, containers: containers).check(environment)
        guard !problems.hasErrors else { return }
        do throws(DependencyCycle) {
            _ = try DependencyOrder.sorted(environment.machines)
        } catch {
            problems.report(
                "the machines depend on each other in a circle: \(error.path.joined(separator: " -> "))",
                hint: "Remove one of these from its machine's 'depends_on'.", at: mark(error.path[0], "depends_on"))
        }
    }

    private func mark(_ machine: String, _ key: String) -> Mark? {
        origins["machines.\(machine).\(key)"] ?? containers["machines.\(machine).\(key)"] ?? marks[machine]
    }

    /// A dependency on a group is one on each of its machines.
    private func resolveDependencies(_ environment: inout Environment) {
        let members = Dictionary(grouping: environment.machines, by: \.group).mapValues { $0.map(\.name) }
        for index in environment.machines.indices {
            let machine = environment.machines[index]
            var resolved: [MachineDefinition.Dependency] = []
            for dependency in machine.dependsOn {
                let names =
                    members[dependency.machine] ?? (marks[dependency.machine] == nil ? [] : [dependency.machine])
                if names.contains(machine.name) {
                    problems.report(
                        "'\(machine.name)' depends on itself",
                        at: mark(machine.name, "depends_on.\(dependency.machine)"))
                } else if names.isEmpty, !groups.contains(dependency.machine), !leftOut.contains(dependency.machine) {
                    let known = groups.filter { $0 != machine.group }
                    problems.report(
                        "'\(machine.name)' depends on '\(dependency.machine)', which is no machine",
                        hint: Suggestion.didYouMean(dependency.machine, in: known)
                            ?? (known.isEmpty ? nil : "There is \(known.joined(separator: ", "))."),
                        at: mark(machine.name, "depends_on.\(dependency.machine)"))
                }
                resolved += names.map { .init(machine: $0, condition: dependency.condition) }
            }
            environment.machines[index].dependsOn = resolved
        }
    }

    private func checkPrimary(_ environment: Environment) {
        let primary = environment.machines.filter(\.isPrimary)
        guard primary.count > 1 else { return }
        problems.report(
            "two machines are primary: \(primary[0].name) and \(primary[1].name)", at: mark(primary[1].name, "primary"))
    }

    private func checkHostnames(_ environment: Environment) {
        var owners: [String: String] = [:]
        for machine in environment.machines {
            if let owner = owners.updateValue(machine.name, forKey: machine.hostname.lowercased()) {
                problems.report(
                    "'\(owner)' and '\(machine.name)' have the same host name '\(machine.hostname)'",
                    hint: "Leave 'hostname' out, or put '${machine.name}' into it.", at: mark(machine.name, "hostname"))
            }
        }
    }
}
