import LinuxSystem
import SSH

/// A script and how it is run in the guest.
struct GuestScript {
    var script: [UInt8]
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var user: String?
    /// How long it may take; nil for no limit.
    var milliseconds: Int64?
    var hasTerminal = false

    enum Stream: Sendable { case output, error }

    /// Runs it to its end.
    /// - Parameter runner: Started ahead, for the same user; nil starts one.
    /// - Returns: The exit status; 128 plus the signal's number for a script that was killed.
    func run(
        over session: SSHSession, by runner: GuestRunner? = nil, output: (Stream, ArraySlice<UInt8>) -> Void
    ) throws(SSHError) -> Int32 {
        if let runner { return try runner.run(self, output: output) }
        return try GuestRunner(over: session, as: user, hasTerminal: hasTerminal).run(self, output: output)
    }

    /// A line of shell that sets the environment and becomes the script. It is read byte by byte: it suits arguments
    /// and environments of some kilobytes.
    func preamble(folder: String) -> String {
        // A line break would end the line.
        func word(_ text: String) -> String { ShellQuoting.quote(text, lineBreak: "wander_newline") }
        let words = interpreter + ["\(folder)/script"] + arguments
        // Before the environment, which may hide every program.
        var parts = ["set -- $session " + words.map(word).joined(separator: " ")]
        parts += environment.sorted { $0.key < $1.key }.map { "export " + word("\($0.key)=\($0.value)") }
        return (parts + ["exec \"$@\""]).joined(separator: "; ")
    }

    /// The interpreter is started with the script as its argument, as the kernel would: `/tmp` may be mounted `noexec`.
    private var interpreter: [String] {
        guard script.starts(with: Array("#!".utf8)) else { return ["sh", "-eu"] }
        let line = String(decoding: script.dropFirst(2).prefix { $0 != 0x0a }.prefix(1024), as: UTF8.self)
        // The kernel passes all that follows the interpreter as one argument.
        let words = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
        let cleaned = words.map { String($0.reversed().drop(while: \.isWhitespace).reversed()) }.filter { !$0.isEmpty }
        return cleaned.isEmpty ? ["sh", "-eu"] : cleaned
    }

    /// Line breaks as Linux's interpreters want them, for a script that was checked out on another system.
    static func withUnixLineBreaks(_ script: [UInt8]) -> [UInt8] {
        guard let end = script.firstIndex(of: 0x0a), end > 0, script[end - 1] == 0x0d else { return script }
        var result: [UInt8] = []
        result.reserveCapacity(script.count)
        for (index, byte) in script.enumerated() {
            if byte == 0x0d, index + 1 < script.count, script[index + 1] == 0x0a { continue }
            result.append(byte)
        }
        return result
    }
}
