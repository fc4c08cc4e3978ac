import ArgumentParser
import Glibc
import LinuxSystem
import NetworkControl
import Provider
import Reporting
import SystemPackage

struct NetCapture: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Write the network's frames to a pcap file, until Ctrl-C.",
        discussion: """
            wander net capture web --output web.pcap
            wander net capture | tcpdump -nr -
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "Only this machine's frames.", completion: Completions.machine) var machine: String?
    @Option(name: .shortAndLong, help: "The file. Without it, standard output, which must not be a terminal.")
    var output: String?

    struct NotRunning: UserFacingError {
        var summary: String { "the environment's network does not run" }
        var remedy: String? { "Start a machine first: wander up" }
        var kind: ErrorKind { .wrongState }
    }

    struct Terminal: UserFacingError {
        var summary: String { "a capture is not text: it cannot go to a terminal" }
        var remedy: String? { "Name a file with --output, or pipe it: wander net capture | tcpdump -nr -" }
        var kind: ErrorKind { .usage }
    }

    func execute(_ context: CommandContext) throws {
        let project = try project.load(context)
        let name = try machine.map { try project.machine(named: $0).name }
        guard output != nil || isatty(STDOUT_FILENO) == 0 else { throw Terminal() }
        project.reviveNetwork()
        guard try NetworkProcess.isRunning(folder: project.layout.network) else { throw NotRunning() }
        let client = try NetworkClient.connect(folder: project.layout.network)
        let target =
            try output.map {
                try OwnedDescriptor.open(FilePath($0), [.writeOnly, .create, .truncate], permissions: 0o600)
            } ?? OwnedDescriptor(owning: dup(STDOUT_FILENO))
        if output != nil { context.console.report(.note("capturing; end with Ctrl-C"), about: nil) }
        do {
            try client.capture(machine: name, output: target, cancellation: context.cancellation)
        } catch is Interruption {
            // The way to end it.
        } catch let error as SystemError where error.errno == .brokenPipe && output == nil {
            // The reader has seen enough.
        }
    }
}
