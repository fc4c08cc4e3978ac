import ArgumentParser
import Provider

struct Suspend: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop the processors of machines; their memory stays in use.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) { $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0 }
        let results = try Schedule.run(try project.machines(named: machines.machines)) { try $0.suspend() }
        try MachineResults.report(results, context)
        if !context.json {
            context.print(results.map { "\($0.machine.name) is paused." }.joined(separator: "\n"))
        }
    }
}

struct Resume: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Resume suspended machines.",
        discussion: "Also sets their clocks, and those of running machines: the host itself may have slept."
    )
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @OptionGroup var machines: MachineOptions

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context) { $0.lockWaitMilliseconds = machines.wait?.milliseconds ?? 0 }
        let results = try Schedule.run(try project.machines(named: machines.machines)) { try $0.resume() }
        try MachineResults.report(results, context)
        if !context.json {
            context.print(results.map { "\($0.machine.name) is running." }.joined(separator: "\n"))
        }
    }
}
