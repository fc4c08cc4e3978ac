import ArgumentParser
import Glibc
import LinuxSystem
import NetworkControl
import Provider
import SystemPackage

struct NetConnect: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Connect standard input and output to a TCP port of a machine.",
        discussion: """
            What ssh(1) uses as its ProxyCommand, and of use by hand: wander net connect web 5432
            No port of the host is involved.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The machine and the port, or only the port of the primary machine.") var words: [String]
    @Option(help: ArgumentHelp("The machine's own socket, without a look at the Wanderfile.", visibility: .hidden))
    var socket: String?

    func validate() throws {
        guard (1...2).contains(words.count), let port = words.last, UInt16(port) != nil else {
            throw ValidationError("Name a machine and a port, such as: wander net connect web 5432")
        }
    }

    func execute(_ context: CommandContext) throws {
        let port = words.last.flatMap { UInt16($0) } ?? 0
        let path: FilePath
        if let socket {
            path = FilePath(socket)
        } else {
            path = try project.load(context).machine(named: words.count == 2 ? words[0] : nil).folder.guestSocket
        }
        let stream = try GuestPort.connect(through: path, port: port, cancellation: context.cancellation)
        try relay(stream, context.cancellation)
    }

    /// Copies both ways until the guest ends its side. The end of standard input is passed on.
    private func relay(_ stream: borrowing OwnedDescriptor, _ cancellation: Cancellation) throws {
        let poller = try Poller()
        try poller.add(stream.rawValue, .readable, token: 0)
        // A file as standard input cannot be polled; it is always readable.
        let polls = (try? poller.add(STDIN_FILENO, .readable, token: 1)) != nil
        try poller.add(cancellation.rawDescriptor, .readable, token: 2)
        var inputIsOpen = true
        while !cancellation.isRequested {
            var ready = try poller.wait(milliseconds: polls || !inputIsOpen ? -1 : 0).map(\.token)
            if !polls, inputIsOpen { ready.append(1) }
            if ready.contains(0) {
                let bytes = try stream.read(upTo: 1 << 16)
                if bytes.isEmpty { return }
                write(bytes, to: STDOUT_FILENO)
            }
            if ready.contains(1), inputIsOpen {
                let bytes = try readInput()
                if bytes.isEmpty {
                    inputIsOpen = false
                    if polls { poller.remove(STDIN_FILENO) }
                    _ = shutdown(stream.rawValue, CInt(SHUT_WR))
                } else {
                    try stream.writeAll(bytes)
                }
            }
        }
    }

    private func readInput() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
        return Array(buffer.prefix(max(0, count)))
    }
}
