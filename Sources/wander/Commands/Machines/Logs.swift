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
        discussion: "Control characters are removed. Without a flag, shows the console's log.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: LongProjectOptions
    @Argument(help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?
    @Flag(help: "The serial console.") var console = false
    @Flag(help: "The machine's process.") var monitor = false
    @Flag(help: "The provisioners' output.") var provisioning = false
    @Option(name: [.customShort("n"), .long], help: "Print only the last N lines.") var lines: LineCount?
    @Flag(name: .shortAndLong, help: "Keep printing new lines until Ctrl-C.") var follow = false

    struct NoLog: UserFacingError {
        let machine: String
        /// Whether it is about provisioners.
        let isOfSteps: Bool
        let isRunning: Bool
        var summary: String { isOfSteps ? "\(machine) has run no step yet" : "\(machine) has no such log yet" }
        var remedy: String? {
            isRunning
                ? (isOfSteps ? "'wander provision \(machine)' runs the steps of the Wanderfile, if it has any." : nil)
                : "It appears when the machine starts: wander up \(machine)"
        }
        var kind: ErrorKind { .notFound }
    }

    func execute(_ context: CommandContext) throws {
        let machine = try project.load(context).machine(named: machine)
        let path = machine.log(monitor ? .monitor : provisioning ? .provisioning : .console)
        guard !FileSystem.isAbsent(path) else {
            let state = try machine.state().state
            guard state != .notCreated else { throw ProviderError.notCreated(machine: machine.name) }
            throw NoLog(machine: machine.name, isOfSteps: provisioning && !monitor, isRunning: state != .stopped)
        }
        let reader = try LogReader(path)
        let text = try reader.existing(lines: lines?.value)
        if context.json {
            return context.output(
                "", json: ["machine": .string(machine.name), "path": .string(path.string), "text": .string(text)])
        }
        context.print(text)
        guard follow else { return }
        while !StandardOutput.isOver, !context.cancellation.wait(milliseconds: 200) {
            let more = try reader.next()
            if !more.isEmpty { StandardOutput.write(more) }
        }
    }
}
