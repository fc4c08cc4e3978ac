import ArgumentParser
import EnvFile
import JSON
import LinuxSystem
import Provider
import Reporting
import SystemPackage

struct Status: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the machines are doing.",
        discussion: """
            Everything is looked at live; nothing is cached and nothing is changed, but a network that was killed under \
            running machines is started again. PORTS are host:guest. With a machine's name it also shows \
            the machine's shares and what it uses: memory, and what its disks and networks have moved since it was started.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "Machines, by name or pattern.", completion: Completions.machines)
    var machines: [String] = []
    @Flag(help: "Every environment of this user, wherever it is.") var all = false
    @Flag(help: "Only the names, one a line.") var names = false

    func execute(_ context: CommandContext) throws {
        if all { return try showAll(context) }
        let project = try project.load(context)
        let chosen = try project.machines(named: machines)
        if !names { project.reviveNetwork() }
        if names {
            return context.output(
                chosen.map(\.name).joined(separator: "\n"), json: ["machines": .strings(chosen.map(\.name))])
        }
        let isDetailed = !machines.isEmpty
        let reports = try chosen.map { try $0.status(withUsage: isDetailed || options.json) }
        let network = project.networkStatus()
        let facts = zip(chosen, reports).map { $0.facts($1, network: network) }
        var table = TextTable(["MACHINE", "STATE", "PROVIDER", "ADDRESS", "UPTIME", "PORTS", "REMARKS"])
        for (report, facts) in zip(reports, facts) {
            table.add([
                report.name, report.state.words, report.provider?.rawValue ?? "", facts.address ?? "",
                facts.uptime.map { ProgressDisplay.seconds(Double($0)) } ?? "",
                facts.forwards.map(\.text).joined(separator: ", "), report.remarks.joined(separator: "; "),
            ])
        }
        table.removeEmptyColumns()
        let details = zip(reports, facts).flatMap { report, facts in
            let lines =
                isDetailed ? Self.lines(facts) + Self.lines(report.shares) + (report.usage.map(Self.lines) ?? []) : []
            return (reports.count > 1 && !lines.isEmpty ? ["\(report.name):"] : []) + lines
        }
        context.output(
            ([table.rendered] + details).joined(separator: "\n"),
            json: [
                "environment": .string(project.environment.name),
                "directory": .string(project.environment.projectDirectory.string),
                "machines": .array(
                    zip(reports, facts).map { .object(($0.json.objectValue ?? []) + $1.members) }),
            ])
    }

    /// What the machine is made of.
    private static func lines(_ facts: MachineFacts) -> [String] {
        let parts = [
            facts.processors.map { counted($0, "CPU") },
            facts.memory.map { "\(ByteCount($0)) of memory" },
            facts.hostName.map { "host name \($0)" },
            facts.start.map(Self.words(start:)),
        ]
        return ["  " + parts.compactMap(\.self).joined(separator: ", ")]
    }

    /// How its guest was started.
    private static func words(start: String) -> String {
        StartMethod.Firmware(rawValue: start).map { "started by its own boot loader (\($0.words))" }
            ?? "started in its box's kernel"
    }

    private static func lines(_ shares: [MachineShare]) -> [String] {
        shares.map { "  \($0.guest): \($0.folder) of this host\($0.isReadOnly ? ", read-only" : "")" }
    }

    /// What a machine uses, for people.
    private static func lines(_ usage: MachineUsage) -> [String] {
        func size(_ bytes: UInt64) -> String { ByteCount(bytes).description }
        var memory: [String] = []
        if let resident = usage.memory.resident { memory.append("\(size(resident)) of this host's") }
        if let total = usage.memory.guestTotal, let available = usage.memory.guestAvailable {
            memory.append("the guest has \(size(available)) of \(size(total)) left")
        }
        if let given = usage.memory.givenBack, given > 0 { memory.append("\(size(given)) given back so far") }
        var lines = memory.isEmpty ? [] : ["  memory: \(memory.joined(separator: "; "))"]
        for disk in usage.disks {
            lines.append("  \(disk.name): \(size(disk.readBytes)) read, \(size(disk.writtenBytes)) written")
        }
        for network in usage.networks {
            lines.append("  \(network.name): \(size(network.receivedBytes)) received, \(size(network.sentBytes)) sent")
        }
        for device in usage.stoppedDevices {
            lines.append("  \(device): stopped, because the guest's driver broke its rules; a reset brings it back")
        }
        return lines
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
