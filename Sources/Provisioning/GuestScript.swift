import LinuxSystem
import SSH

/// A script and how it is run in the guest.
///
/// Script, arguments and environment travel as the input of a small shell program, so that their size does not matter and
/// the guest's process list shows none of them. The program puts the script into a process group of its own and watches
/// its input, which stays open: when the connection goes away, because wander was interrupted or killed or the time was
/// over, the script is ended too, and a later run never meets an earlier one.
struct GuestScript {
    var script: [UInt8]
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var user: String?
    /// In milliseconds.
    var timeout: Int64?

    enum Stream: Sendable { case output, error }

    /// Runs it to its end: that of the script itself, even if processes that it has left behind still hold its output.
    /// - Returns: The exit status; 128 plus the signal's number for a script that was killed.
    func run(
        over session: SSHSession, output: (Stream, ArraySlice<UInt8>) -> Void
    ) throws(SSHError) -> Int32 {
        // Travels with the script: what the process list shows may turn up in the output, and must not end the run.
        let token = randomIdentifier(bytes: 16)
        let folder = "/tmp/wander-" + randomIdentifier(bytes: 8)
        let preamble = Array(self.preamble(folder: folder).utf8)
        let input = Array(token.utf8) + preamble + script
        var command = SSHCommand(
            GuestShell.line(Self.runner, [folder, String(input.count), String(preamble.count)], as: user))
        command.milliseconds = timeout
        var ends = (output: EndMark(token), error: EndMark(token))
        // Both are looked at by the closure that decides about the end while the others write them.
        let outcome = try withoutActuallyEscaping(output) { output throws(SSHError) in
            let marks = MarkPair()
            let outcome = try session.run(
                command, input: .held(input),
                output: { bytes throws(SSHError) in
                    output(.output, ends.output.filter(bytes))
                    marks.output = ends.output.status
                },
                error: { bytes throws(SSHError) in
                    output(.error, ends.error.filter(bytes))
                    marks.error = ends.error.status
                }, isComplete: { marks.output != nil && marks.error != nil })
            return marks.output.map { SSHOutcome.exited($0) } ?? outcome
        }
        output(.output, ends.output.rest)
        output(.error, ends.error.rest)
        return outcome.shellStatus
    }

    private final class MarkPair {
        var output: Int32?
        var error: Int32?
    }

    /// `$1` a folder to make, `$2` and `$3` the bytes of all and of the preamble. The input is the mark of the end in 32
    /// bytes, the preamble, which sets the environment and becomes the script, and the script. A process group of its own
    /// (`setsid`) lets the script be ended with all that it has started. The script's status is told behind the mark; the
    /// runner's own is never 0, so that its end can be told from silence.
    private static let runner = """
        umask=$(umask); umask 077; folder=$1; count=$2; split=$3
        mkdir "$folder" || exit 125
        trap 'rm -rf "$folder"' EXIT
        head -c "$count" >"$folder/all"
        if [ "$(wc -c <"$folder/all")" -ne "$count" ]; then echo 'the connection broke' >&2; exit 125; fi
        token=$(head -c 32 "$folder/all"); preamble=$(head -c $((split + 32)) "$folder/all" | tail -c +33)
        tail -c +$((split + 33)) "$folder/all" >"$folder/script"; rm "$folder/all"
        session=$(command -v setsid || :)
        exec 3<&0 </dev/null
        ( exec 3<&-; umask "$umask"; eval "$preamble" ) & script=$!
        ( cat <&3; for signal in TERM KILL; do
            kill -s "$signal" -- "-$script" || kill -s "$signal" "$script"; sleep 5
          done ) >/dev/null 2>&1 & watcher=$!
        { wait "$script"; } 2>/dev/null; status=$?
        kill "$watcher" 2>/dev/null; rm -rf "$folder"
        printf '%s %s\\n' "$token" "$status"; printf '%s %s\\n' "$token" "$status" >&2
        exit 77
        """

    private func preamble(folder: String) -> String {
        var lines = environment.sorted { $0.key < $1.key }.map {
            "export \(ShellQuoting.quote("\($0.key)=\($0.value)"))"
        }
        let words = interpreter + ["\(folder)/script"] + arguments
        // Before the environment, which may hide every program.
        lines.insert("set -- $session " + words.map { ShellQuoting.quote($0) }.joined(separator: " "), at: 0)
        lines.append("exec \"$@\"")
        return lines.joined(separator: "\n") + "\n"
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

/// Finds the line by which the runner says that the script has ended.
struct EndMark {
    private let token: [UInt8]
    private var held: [UInt8] = []
    private(set) var status: Int32?

    init(_ token: String) { self.token = Array(token.utf8) }

    /// What of `bytes` and of what was held back certainly is output. Nothing behind the mark is.
    mutating func filter(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard status == nil else { return [] }
        held += bytes
        if let start = Self.index(of: token, in: held) {
            let line = held[(start + token.count)...]
            guard let end = line.firstIndex(of: 0x0a) else {
                let output = held[..<start]
                held.removeFirst(start)
                return output
            }
            status = Int32(String(decoding: line[..<end].drop { $0 == 0x20 }, as: UTF8.self)) ?? 255
            defer { held = [] }
            return held[..<start]
        }
        // The mark's beginning may be at the end.
        var keep = min(token.count - 1, held.count)
        while keep > 0, !token.starts(with: held.suffix(keep)) { keep -= 1 }
        let output = held.dropLast(keep)
        held = held.suffix(keep)
        return output
    }

    /// What was held back, once no more can come.
    var rest: ArraySlice<UInt8> { held[...] }

    private static func index(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count, let first = needle.first else { return nil }
        var start = 0
        while let found = bytes[start...].firstIndex(of: first), found + needle.count <= bytes.count {
            if bytes[found..<(found + needle.count)].elementsEqual(needle) { return found }
            start = found + 1
        }
        return nil
    }
}
