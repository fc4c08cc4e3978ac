import LinuxSystem
import Reporting

/// A command that runs in the guest. It can be attended in several parts; its output is read from the connection only
/// during them.
public final class SSHProcess {
    private let channel: SSHChannel
    /// The call of a script; nil for a command that the login shell runs as it is.
    private var call: ShellCall?
    private var isWaitedFor = true

    init(_ command: SSHCommand, over session: SSHSession) throws(SSHError) {
        channel = try SSHChannel(session)
        if let terminal = command.terminal { try channel.requestTerminal(terminal) }
        try channel.start(command.text)
    }

    init(_ script: ShellScript, over session: SSHSession) throws(SSHError) {
        let call = ShellCall(script, from: session.user)
        self.call = call
        channel = try SSHChannel(session)
        if let terminal = script.terminal { try channel.requestTerminal(terminal) }
        try channel.start(call.line)
    }

    /// Waits until the login shell has started `sh`, and sends the script. The first exchange of bytes does that too.
    /// - Throws: ``SSHError/noShell(reason:)`` if the login shell ends before that.
    public func begin() throws(SSHError) { try begin(until: nil) }

    private func begin(until limit: MonotonicClock?) throws(SSHError) {
        guard isWaitedFor, let call else { return }
        let patience = channel.session.options.answerMilliseconds
        let end = MonotonicClock.now.advanced(byMilliseconds: patience)
        let shell = Opening(call)
        var pump = ChannelPump(
            channel, input: .held([]), limit: [limit, end].compactMap(\.self).min(), milliseconds: patience)
        // A shell's start file that asks something is answered by nothing, like a user who presses return.
        var answer = MonotonicClock.now.advanced(byMilliseconds: 500)
        pump.onTurn = { [channel] in
            guard MonotonicClock.now >= answer else { return }
            _ = try? channel.write([0x0a])
            answer = answer.advanced(byMilliseconds: 500)
        }
        pump.isComplete = { shell.call.hasBegun }
        let outcome = try pump.run(
            output: { bytes throws(SSHError) in _ = shell.call.output.filter(bytes) },
            error: { bytes throws(SSHError) in _ = shell.call.error.filter(bytes) })
        guard shell.call.hasBegun else {
            let said = GuestText.lines(shell.call.output.preamble + shell.call.error.preamble)
            throw .noShell(status: outcome.shellStatus, said: said)
        }
        self.call = shell.call
        isWaitedFor = false
        try send(bytes: call.script)
    }

    private final class Opening {
        var call: ShellCall
        init(_ call: ShellCall) { self.call = call }
    }

    /// Exchanges bytes with the command until it has ended, or `isComplete` says so.
    /// - Parameters:
    ///   - milliseconds: How long that may take; nil for no limit.
    ///   - silenceMilliseconds: How long it may neither take input nor print anything; nil for no limit.
    ///   - isComplete: Asked after output has arrived; true returns ``SSHOutcome/unknown`` while the output is still
    ///     open.
    public func attend(
        input: SSHInput = .nothing, milliseconds: Int64? = nil, silenceMilliseconds: Int64? = nil,
        output: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in },
        error: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in }, isComplete: (() -> Bool)? = nil
    ) throws(SSHError) -> SSHOutcome {
        let limit = milliseconds.map { MonotonicClock.now.advanced(byMilliseconds: $0) }
        try begin(until: limit)
        var pump = ChannelPump(channel, input: input, limit: limit, milliseconds: milliseconds ?? 0)
        pump.silence = silenceMilliseconds
        guard let call else {
            pump.isComplete = isComplete
            return try pump.run(output: output, error: error)
        }
        let shell = Opening(call)
        defer { self.call = shell.call }
        pump.isComplete = { shell.call.status != nil || isComplete?() == true }
        let outcome = try pump.run(
            output: { bytes throws(SSHError) in
                let said = shell.call.output.filter(bytes)
                if !said.isEmpty { try output(said) }
            },
            error: { bytes throws(SSHError) in
                let said = shell.call.error.filter(bytes)
                if !said.isEmpty { try error(said) }
            })
        if let status = shell.call.status {
            leave()
            return .exited(status)
        }
        if isComplete?() == true { return outcome }
        if !shell.call.output.rest.isEmpty { try output(shell.call.output.rest) }
        if !shell.call.error.rest.isEmpty { try error(shell.call.error.rest) }
        // What the login shell ended with says nothing about a script that was cut off.
        return outcome == .exited(0) ? .unknown : outcome
    }

    /// Sends the command a few bytes, and does not wait for an effect.
    public func send(_ text: String) throws(SSHError) {
        try begin()
        try send(bytes: Array(text.utf8))
    }

    private func send(bytes: [UInt8]) throws(SSHError) {
        var rest = bytes[...]
        let session = channel.session
        let end = MonotonicClock.now.advanced(byMilliseconds: session.options.stepMilliseconds)
        while true {
            rest.removeFirst(try channel.write(rest))
            if rest.isEmpty { return }
            // Its window is full.
            try session.wait(.channel, for: .readable, until: end, milliseconds: session.options.stepMilliseconds)
        }
    }

    /// Waits until the command has printed `line`, the last line of its output for now.
    /// - Parameters:
    ///   - name: For the error's message.
    /// - Throws: ``SSHError/commandFailed(command:status:output:)`` with its output, if it ends before that;
    ///   ``SSHError/noAnswer(command:milliseconds:)`` if it prints nothing for
    ///   ``SSHSession/Options/answerMilliseconds``.
    public func expect(_ line: String, named name: String) throws(SSHError) {
        let silence = channel.session.options.answerMilliseconds
        do {
            try attendUntil(line, named: name, silence: silence)
        } catch {
            guard case .timedOut(.channel, silence) = error else { throw error }
            throw .noAnswer(command: name, milliseconds: silence)
        }
    }

    /// Waits until the command has printed its first line, after which it is to print nothing before it has got input.
    /// - Throws: As ``expect(_:named:)``.
    func line(named name: String) throws(SSHError) -> String {
        var (said, complaint): ([UInt8], [UInt8]) = ([], [])
        let found = Found()
        let outcome = try attend(
            input: .held([]), silenceMilliseconds: channel.session.options.answerMilliseconds,
            output: { bytes throws(SSHError) in
                said += bytes.prefix(max(0, 4096 - said.count))
                found.isFound = said.contains(0x0a)
            }, error: { bytes throws(SSHError) in complaint = Array((complaint + bytes).suffix(4096)) },
            isComplete: { found.isFound })
        guard found.isFound else {
            throw .commandFailed(command: name, status: outcome.shellStatus, output: GuestText.lines(complaint))
        }
        return String(decoding: said.prefix { $0 != 0x0a }, as: UTF8.self)
    }

    private func attendUntil(_ line: String, named name: String, silence: Int64) throws(SSHError) {
        var (said, complaint): ([UInt8], [UInt8]) = ([], [])
        let mark = Array("\(line)\n".utf8)
        // Looked at by the closure that decides about the end while the other writes it.
        let found = Found()
        let outcome = try attend(
            input: .held([]), silenceMilliseconds: silence,
            output: { bytes throws(SSHError) in
                said = Array((said + bytes).suffix(4096))
                found.isFound = said.suffix(mark.count) == mark[...]
            }, error: { bytes throws(SSHError) in complaint = Array((complaint + bytes).suffix(4096)) },
            isComplete: { found.isFound })
        if found.isFound { return }
        throw .commandFailed(command: name, status: outcome.shellStatus, output: GuestText.lines(complaint + said))
    }

    private final class Found { var isFound = false }

    /// Declares that the command is about to end by itself, with a status other than 0 or without leaving processes
    /// behind that hold its output. The next channel waits for the end.
    public func leave() { channel.session.leftChannel = channel }
}
