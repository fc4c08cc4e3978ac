import ArgumentParser
import Glibc
import JSON
import LinuxSystem
import Provider
import Reporting
import SystemPackage

struct Logs: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a machine's logs: console, monitor, provisioning.",
        discussion: "Control characters are taken out. Without a flag, the console's.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: LongProjectOptions
    @Argument(help: "The machine. Without it, the primary one.") var machine: String?
    @Flag(help: "The serial console.") var console = false
    @Flag(help: "The machine's process.") var monitor = false
    @Flag(help: "The provisioners' output.") var provisioning = false
    @Option(name: [.customShort("n"), .long], help: "Only the last so many lines.") var lines: Int?
    @Flag(name: .shortAndLong, help: "Go on as the log grows, until Ctrl-C.") var follow = false

    struct NoLog: UserFacingError {
        let path: FilePath
        let machine: String
        var summary: String { "\(machine) has no such log" }
        var remedy: String? { "It appears when the machine starts: wander up \(machine)" }
        var kind: ErrorKind { .notFound }
    }

    func execute(_ context: CommandContext) throws {
        let machine = try project.load(context).machine(named: machine)
        let path = machine.log(monitor ? .monitor : provisioning ? .provisioning : .console)
        guard !FileSystem.isAbsent(path) else { throw NoLog(path: path, machine: machine.name) }
        let reader = try LogReader(path)
        let text = try reader.existing(lines: lines)
        if context.json {
            return context.output(
                "", json: ["machine": .string(machine.name), "path": .string(path.string), "text": .string(text)])
        }
        context.print(text)
        guard follow else { return }
        while !context.cancellation.wait(milliseconds: 200) {
            let more = try reader.next()
            if !more.isEmpty { write(more, to: STDOUT_FILENO) }
        }
    }
}
