import ArgumentParser
import EnvFile
import JSON
import LinuxSystem
import Provider
import Reporting
import SystemPackage

struct Inventory: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the machines that run as an inventory of Ansible.",
        discussion: """
            wander inventory > hosts.yml && ansible-playbook -i hosts.yml site.yml
            Or a script beside the Wanderfile that asks each time, for 'ansible -i hosts.sh all -m ping':
            #!/bin/sh
            cd "$(dirname "$0")" && exec wander inventory "$@"
            Groups come from 'ansible', 'count' and 'labels' in the Wanderfile. Each machine brings its user, its key and \
            how ssh(1) reaches it, without any port of the host.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "Machines, by name or pattern. Without one, all that run.", completion: Completions.machines)
    var machines: [String] = []
    @Flag(help: "Print what Ansible expects of a dynamic inventory: JSON, all groups and all variables.") var list =
        false
    @Option(help: "Print the variables of this machine alone, as JSON.", completion: Completions.machine)
    var host: String?

    func validate() throws {
        if list, host != nil { throw ValidationError("--list and --host exclude each other.") }
        if host != nil, !machines.isEmpty { throw ValidationError("--host takes the machine that it is about.") }
    }

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        let program = try FileSystem.resolve("/proc/self/exe")
        if let host {
            let machine = try project.machine(named: host)
            let inventory = try AnsibleInventory(project, [machine], program: program)
            guard let variables = inventory.variables(of: machine.name) else {
                throw ProviderError.notRunning(machine: machine.name, state: try machine.state().state.words)
            }
            return context.output(variables.pretty, json: variables)
        }
        let inventory = try AnsibleInventory(
            project, project.machines(named: machines, includingUndefined: false), program: program)
        // Machines that somebody has named are missed.
        if !machines.isEmpty, let missing = inventory.missing.first {
            throw ProviderError.notRunning(
                machine: missing, state: try project.machine(named: missing).state().state.words)
        }
        // Ansible takes every member for a group.
        guard !list else { return StandardOutput.write(inventory.dynamicList.pretty) }
        let comments = inventory.missing.map { "# \($0) does not run: wander up \($0)\n" }.joined()
        context.output(comments + PlainYAML.text(inventory.tree), json: inventory.tree)
    }
}
