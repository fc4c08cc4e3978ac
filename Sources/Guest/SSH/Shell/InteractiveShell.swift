import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// An interactive session on the user's terminal, for hosts that have no ssh(1).
public struct InteractiveShell {
    /// The terminal's descriptors in this process.
    public var input: CInt = 0
    public var output: CInt = 1
    public var error: CInt = 2
    /// The terminal's type, as in TERM.
    public var terminalType: String = environmentVariable("TERM") ?? "xterm"

    public init() {}

    /// Runs the user's login shell, or `command` in a terminal, until it ends.
    ///
    /// Meanwhile the terminal is in raw mode, and Ctrl-C goes to the guest. `~.` at the start of a line ends a session
    /// that hangs.
    public func run(_ session: SSHSession, command: String? = nil) throws(SSHError) -> SSHOutcome {
        let channel = try SSHChannel(session)
        let isTerminal = isatty(input) != 0
        var size = windowSize() ?? (80, 24)
        if isTerminal {
            try channel.requestTerminal(PseudoTerminal(type: terminalType, columns: size.columns, rows: size.rows))
        }
        try channel.start(command)
        var saved = termios()
        let isRaw = isTerminal && tcgetattr(input, &saved) == 0
        if isRaw {
            var raw = saved
            cfmakeraw(&raw)
            tcsetattr(input, TCSADRAIN, &raw)
        }
        defer { if isRaw { tcsetattr(input, TCSADRAIN, &saved) } }
        var pump = ChannelPump(channel, input: .descriptor(input))
        if isTerminal {
            // A look at the size four times a second needs no signal handler, which would be the whole process's.
            pump.onTurn = {
                guard let now = windowSize(), now != size else { return }
                size = now
                channel.resize(columns: now.columns, rows: now.rows)
            }
            var escape = EscapeSequence()
            pump.inspect = { escape.filter(&$0) }
        }
        let (output, error) = (output, error)
        return try pump.run(
            output: { bytes throws(SSHError) in try Self.write(bytes, to: output) },
            error: { bytes throws(SSHError) in try Self.write(bytes, to: error) })
    }

    /// Runs a script in the terminal, as its user.
    public func run(_ session: SSHSession, script: ShellScript) throws(SSHError) -> SSHOutcome {
        let whole = script.whenSwitched(from: session.user)
        let words = ["sh", "-c", whole.text, "sh"] + whole.arguments
        let line = "exec " + words.map { ShellQuoting.quote($0) }.joined(separator: " ")
        return try run(session, command: ShellScript.commandLine(line))
    }

    private func windowSize() -> (columns: Int32, rows: Int32)? {
        TerminalSize.of(output).map { (Int32($0.columns), Int32($0.rows)) }
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to raw: CInt) throws(SSHError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN {
                _ = try? waitUntilReady(raw, for: .writable, milliseconds: 1000)
            } else if errno != EINTR {
                throw .system(SystemError("write to the terminal", nil, Errno(rawValue: errno)))
            }
        }
    }
}

/// Finds `~.` at the start of a line, as ssh(1) does; `~~` sends one `~`.
public struct EscapeSequence {
    private enum State { case lineStart, afterTilde, inside }
    private var state = State.lineStart

    public init() {}

    /// - Returns: False if the user wants to leave.
    public mutating func filter(_ bytes: inout [UInt8]) -> Bool {
        var kept: [UInt8] = []
        for byte in bytes {
            switch (state, byte) {
            case (.lineStart, UInt8(ascii: "~")):
                state = .afterTilde
                continue
            case (.afterTilde, UInt8(ascii: ".")): return false
            case (.afterTilde, UInt8(ascii: "~")): state = .inside
            case (.afterTilde, _):
                kept.append(UInt8(ascii: "~"))
                fallthrough
            default: state = byte == 0x0d || byte == 0x0a ? .lineStart : .inside
            }
            kept.append(byte)
        }
        bytes = kept
        return true
    }
}
