/// A command for the guest, with its environment and limits.
public struct SSHCommand: Sendable {
    /// The text for the user's shell in the guest.
    public var text: String
    /// Variables that are set before the user's shell starts, since servers refuse SSH's own way of passing them. They
    /// do not work with a terminal.
    public var environment: [(name: String, value: String)] = []
    public var terminal: PseudoTerminal?
    /// How long the command may take; nil for no limit.
    public var milliseconds: Int64?
    /// How long the command may neither take input nor print anything; nil for no limit.
    public var silenceMilliseconds: Int64?

    public init(_ text: String) { self.text = text }

    /// The command with its environment: the user's shell runs it all the same.
    var script: ShellScript { ShellScript(settings + "exec \"${SHELL:-sh}\" -c \"$1\"", [text]) }

    private var settings: String {
        environment.map { "export \(ShellQuoting.quote("\($0.name)=\($0.value)"))\n" }.joined()
    }

    /// The same as a command line, for ssh(1).
    public var commandLine: String {
        if environment.isEmpty { return text }
        return ShellScript.commandLine(settings + "exec \"${SHELL:-sh}\" -c \(ShellQuoting.quote(text))")
    }
}

/// A terminal for the command in the guest.
public struct PseudoTerminal: Hashable, Sendable {
    /// The terminal's type, as in TERM.
    public var type: String
    /// The terminal's size in characters.
    public var columns: Int32
    public var rows: Int32
    /// Whether bytes pass unchanged in both directions: no echo, no line editing, no signals by keys, no carriage
    /// returns.
    public var isRaw = false

    public init(type: String = "xterm-256color", columns: Int32 = 80, rows: Int32 = 24) {
        self.type = type
        self.columns = columns
        self.rows = rows
    }
}

/// How a command ended.
public enum SSHOutcome: Hashable, Sendable {
    case exited(Int32)
    /// The signal's name without `SIG`, such as `TERM`.
    case signalled(String)
    /// The connection's channel closed without a word about the command.
    case unknown

    public var isSuccess: Bool { self == .exited(0) }

    /// The status as a shell reports it: the exit status, or 128 plus the signal's number; 255 if it is not known.
    public var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let name): 128 + (Self.signals[name] ?? 127)
        case .unknown: 255
        }
    }

    /// The signal that a shell means by such a status; nil for a command's own status.
    public static func signalName(ofShellStatus status: Int32) -> String? {
        signals.first { $0.value == status - 128 }?.key
    }

    // RFC 4254, section 6.10, with Linux's numbers.
    private static let signals: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12,
        "PIPE": 13, "ALRM": 14, "TERM": 15,
    ]
}

/// Where a command's standard input comes from.
public enum SSHInput {
    case nothing
    case bytes([UInt8])
    /// These bytes, and then no end: the command sees the end of its input only when the connection or the channel
    /// goes, so that it can tell that nobody waits for it any more.
    case held([UInt8])
    /// A descriptor of this process, read as the command takes it.
    case descriptor(CInt)
    /// Called for the next piece, at most so many bytes; an empty piece ends the input.
    case source((_ limit: Int) throws(SSHError) -> [UInt8])
}
