import ArgumentParser
import Glibc
import LinuxSystem
import NetworkControl
import Provider
import Reporting
import SystemPackage

struct NetConnect: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Connect standard input and output to a TCP port of a machine.",
        discussion: """
            wander net connect web 5432
            No port of the host is used. 'wander ssh-config' prints it as ssh's ProxyCommand.
            """)
    // ssh(1) hangs up its ProxyCommand when it ends.
    static let endsSilently = true
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(
        help: ArgumentHelp("The machine, unless it is the primary one; and the port.", valueName: "machine> <port"))
    var words: [String]
    @Option(help: ArgumentHelp("The machine's access socket, instead of its name.", visibility: .hidden)) var socket:
        String?
    @Option(help: "How long to wait for the port to open, in seconds.") var wait: WaitingTime?

    func validate() throws {
        guard words.count == 1 || words.count == 2 && socket == nil, let port = UInt16(words[words.count - 1]), port > 0
        else {
            throw ValidationError("Say: wander net connect [MACHINE] PORT")
        }
    }

    func execute(_ context: CommandContext) throws {
        guard let port = words.last.flatMap({ UInt16($0) }) else { return }
        let name = words.count == 2 ? words[0] : nil
        let waiting = wait?.milliseconds
        let connection: OwnedDescriptor
        if let socket {
            connection = try GuestPort.connect(
                through: FilePath(socket), port: port, waitingMilliseconds: waiting, cancellation: context.cancellation)
        } else {
            connection = try project.load(context).machine(named: name).guestConnection(
                port: port, waitingMilliseconds: waiting)
        }
        try GuestPort.bridge(connection, input: STDIN_FILENO, output: STDOUT_FILENO)
    }
}
