import LinuxSystem
public import SSH

/// A small shell program in the guest that runs one script. It can start before there is a script, since its start
/// takes several programs, which costs slow guests time.
///
/// Script, arguments and environment travel as its input, so that their size does not matter and the guest's process
/// list shows none of them. It puts the script into a process group of its own and watches its input, which stays open:
/// when the connection goes away, because wander was interrupted or killed or the time was over, the script is ended
/// too, and a later run never meets an earlier one.
public final class GuestRunner {
    /// Shell code of wander's that the runner executes when it starts. It must not exit; its status says whether it
    /// worked.
    public struct Preparation {
        public var text: String
        public var arguments: [String]
        /// The name in an error's message.
        public var name: String
        public init(_ text: String, _ arguments: [String] = [], named name: String) {
            self.text = text
            self.arguments = arguments
            self.name = name
        }
    }

    public let user: String?
    /// Whether its script's input and outputs are a terminal.
    let hasTerminal: Bool
    /// Whether it waits for its script still.
    private(set) var isFree = true
    private let process: SSHProcess
    private let preparation: Preparation?
    private let folder = "/tmp/wander-" + randomIdentifier(bytes: 8)

    /// Starts the runner.
    /// - Parameters:
    ///   - user: The guest's user who runs it; nil: the user who logged in.
    ///   - preparation: Wait for it before anything else; see ``awaitPreparation()``.
    public init(
        over session: SSHSession, as user: String?, preparing preparation: Preparation? = nil, hasTerminal: Bool = false
    ) throws(SSHError) {
        self.user = user
        self.preparation = preparation
        self.hasTerminal = hasTerminal
        let arguments =
            [folder, hasTerminal ? "terminal" : "", preparation?.text ?? ""] + (preparation?.arguments ?? [])
        var program = ShellScript(Self.program, arguments, as: user)
        if hasTerminal {
            // The type that guests without a database of terminals know too.
            program.terminal = PseudoTerminal(type: "xterm")
            program.terminal?.isRaw = true
        }
        process = try session.start(program)
        try process.begin()
    }

    /// Whether it can run the script.
    func fits(_ script: GuestScript) -> Bool { user == script.user && hasTerminal == script.hasTerminal }

    /// Waits until the preparation is done.
    /// - Throws: ``SSHError/commandFailed(command:status:output:)`` if it failed.
    public func awaitPreparation() throws(SSHError) {
        // The folder's name, which nobody else knows, says that it has worked.
        if let preparation { try process.expect(folder, named: preparation.name) }
    }

    /// Runs the script to its end: that of the script itself, even if processes that it has left behind still hold its
    /// output. Once for each runner.
    /// - Returns: The exit status; 128 plus the signal's number for a script that was killed.
    func run(
        _ script: GuestScript, output: (GuestScript.Stream, ArraySlice<UInt8>) -> Void
    ) throws(SSHError) -> Int32 {
        isFree = false
        // Travels with the script: what the process list shows may turn up in the output, and must not end the run.
        let token = randomIdentifier(bytes: 16)
        let header = "\(token) \(script.script.count)\n\(script.preamble(folder: folder))\n"
        var ends = (output: OutputFrame(to: token), error: OutputFrame(to: token))
        // Both are looked at by the closure that decides about the end while the others write them.
        let outcome = try withoutActuallyEscaping(output) { output throws(SSHError) in
            let marks = MarkPair()
            let outcome = try process.attend(
                input: .held(Array(header.utf8) + script.script), milliseconds: script.milliseconds,
                output: { bytes throws(SSHError) in
                    output(.output, ends.output.filter(bytes))
                    marks.output = ends.output.status
                    if hasTerminal { marks.error = marks.output }
                },
                error: { bytes throws(SSHError) in
                    output(.error, ends.error.filter(bytes))
                    marks.error = ends.error.status
                }, isComplete: { marks.output != nil && marks.error != nil })
            guard let status = marks.output else { return outcome }
            process.leave()
            return SSHOutcome.exited(status)
        }
        output(.output, ends.output.rest)
        output(.error, ends.error.rest)
        return outcome.shellStatus
    }

    private final class MarkPair {
        var output: Int32?
        var error: Int32?
    }

    private static let program = BuiltInScript.text(PackageResources.run_script_sh)
}
