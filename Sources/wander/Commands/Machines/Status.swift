import SystemPackage
import EnvFile
import ArgumentParser
import JSON
import LinuxSystem
import Provider
import Reporting

struct Status: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the machines are doing.",
        discussion: "Everything is looked at live; nothing is cached and nothing is changed.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "Machines, by name or pattern.") var machines: [String] = []
    @Flag(help: "Every environment of this user, wherever it is.") var all = false
    @Flag(help: "Only the names, one a line.") var names = false

    func execute(_ context: CommandContext) throws {
        if all { return try showAll(context) }
        let project = try project.load(context)
        let chosen = try project.machines(named: machines)
        if names {
            return context.output(
                chosen.map(\.name).joined(separator: "\n"), json: ["machines": .strings(chosen.map(\.name))])
        }
        let reports = try chosen.map { try $0.status() }
        var table = TextTable()
        for report in reports {
            table.add([
                report.name, report.state.words, report.provider?.rawValue ?? "",
                report.remarks.joined(separator: "; "),
            ])
        }
        context.output(
            table.rendered,
            json: [
                "environment": .string(project.environment.name),
                "directory": .string(project.environment.projectDirectory.string),
                "machines": .array(reports.map(\.json)),
            ])
    }

    private func showAll(_ context: CommandContext) throws {
        let environments = try KnownEnvironments.standard().list()
        var table = TextTable(environments.isEmpty ? [] : ["ENVIRONMENT", "MACHINE", "STATE", "DIRECTORY"])
        for environment in environments {
            for machine in environment.machines {
                table.add([environment.name, machine.name, machine.state.words, environment.directory.string])
            }
        }
        context.output(
            environments.isEmpty ? "No environments." : table.rendered,
            json: ["environments": .array(environments.map(\.json))])
    }
}
