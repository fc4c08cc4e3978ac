import ArgumentParser
import Glibc
import LinuxSystem
import Provider
import Reporting
import SSH

struct ConsoleCommand: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Attach to a machine's console.",
        discussion: """
            Needs no network and no SSH in the guest. Linux calls this terminal hvc0; with --serial it is ttyS0, whose log \
            'wander logs' shows; on emulation there is only that one. '~.' at the start of a line leaves it. Boxes that keep \
            Vagrant's conventions, as wander's own do, know the user 'vagrant' with the password 'vagrant'.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Argument(help: "The machine. Without it, the primary one.", completion: Completions.machine)
    var machine: String?
    @Flag(help: "The serial port, where the kernel prints.") var serial = false

    func execute(_ context: CommandContext) throws {
        let machine = try project.load(context).machine(named: machine)
        let guest = try machine.attachConsole(serial: serial)
        context.console.report(
            .step("attached; '~.' at the start of a line leaves (most boxes: login vagrant, password vagrant)"),
            about: machine.name)
        var saved = termios()
        let isTerminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &saved) == 0
        if isTerminal {
            var raw = saved
            cfmakeraw(&raw)
            tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
        }
        defer { if isTerminal { tcsetattr(STDIN_FILENO, TCSADRAIN, &saved) } }
        var size: TerminalSize?
        try pump(guest, isTerminal: isTerminal, context.cancellation) {
            // The serial port has no way to tell its size.
            guard isTerminal, !serial, let now = TerminalSize.of(STDOUT_FILENO), now != size else { return }
            size = now
            try? machine.resizeConsole(to: now)
        }
    }

    /// Carries bytes both ways until the user leaves or the machine ends. Where the input is no terminal, its end
    /// leaves too, once the guest has said nothing for a second.
    /// - Parameter onTurn: Called at least four times a second on a terminal: a look at its size needs no signal
    ///   handler, which would be the whole process's.
    private func pump(
        _ guest: borrowing OwnedDescriptor, isTerminal: Bool, _ cancellation: Cancellation, onTurn: () -> Void
    ) throws {
        let poller = try Poller()
        try poller.add(guest.rawValue, .readable, token: 0)
        try poller.add(cancellation.rawDescriptor, .readable, token: 2)
        // A plain file is always ready, and cannot be waited for.
        let input = OwnedDescriptor(owning: dup(STDIN_FILENO))
        var inputEnded = (try? poller.add(input.rawValue, .readable, token: 1)) == nil
        if inputEnded { try guest.writeAll(try input.readAll(limit: 1 << 20)) }
        var escape = EscapeSequence()
        while true {
            onTurn()
            let ready = try poller.wait(milliseconds: inputEnded ? 1000 : isTerminal ? 250 : -1)
            if ready.isEmpty, inputEnded { return }
            for item in ready {
                switch item.token {
                case 0:
                    let bytes = try guest.read(upTo: 16 << 10)
                    guard !bytes.isEmpty else { return }
                    StandardOutput.write(bytes)
                    if StandardOutput.isOver { return }
                case 1:
                    var bytes = try input.read(upTo: 4096)
                    if bytes.isEmpty {
                        inputEnded = true
                        poller.remove(input.rawValue)
                    } else {
                        guard !isTerminal || escape.filter(&bytes) else { return }
                        try guest.writeAll(bytes)
                    }
                default: return
                }
            }
        }
    }
}
