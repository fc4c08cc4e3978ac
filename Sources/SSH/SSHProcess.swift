import LinuxSystem

/// A command that runs in the guest. It may be attended in several parts: what it says is taken from the connection only
/// while it is.
public final class SSHProcess {
    private let channel: SSHChannel

    init(_ command: SSHCommand, over session: SSHSession) throws(SSHError) {
        channel = try SSHChannel(session)
        if let terminal = command.terminal { try channel.requestTerminal(terminal) }
        try channel.start(command.line)
    }

    /// Exchanges bytes with the command until it has ended, or `isComplete` says so.
    /// - Parameters:
    ///   - milliseconds: How long that may take; nil for no limit.
    ///   - silence: How long it may neither take input nor print anything, in milliseconds; nil for no limit.
    ///   - isComplete: Asked after output has arrived; true returns ``SSHOutcome/unknown`` while the output is still open.
    public func attend(
        input: SSHInput = .nothing, milliseconds: Int64? = nil, silence: Int64? = nil,
        output: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in },
        error: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in }, isComplete: (() -> Bool)? = nil
    ) throws(SSHError) -> SSHOutcome {
        let limit = milliseconds.map { MonotonicClock.now.advanced(byMilliseconds: $0) }
        var pump = ChannelPump(channel, input: input, limit: limit, milliseconds: milliseconds ?? 0)
        pump.isComplete = isComplete
        pump.silence = silence
        return try pump.run(output: output, error: error)
    }

    /// Sends the command a few bytes, and does not wait for what it makes of them.
    public func send(_ text: String) throws(SSHError) {
        var rest = Array(text.utf8)[...]
        let session = channel.session
        let end = MonotonicClock.now.advanced(byMilliseconds: session.options.stepMilliseconds)
        while true {
            rest.removeFirst(try channel.write(rest))
            if rest.isEmpty { return }
            // Its window is full.
            try session.wait(.channel, for: .readable, until: end, milliseconds: session.options.stepMilliseconds)
        }
    }

    /// Waits until the command has printed `line`, the last of what it prints for the time being.
    /// - Parameters:
    ///   - name: For the error's message.
    /// - Throws: ``SSHError/commandFailed(command:status:output:)`` with what it said, if it ends before;
    ///   ``SSHError/noAnswer(command:milliseconds:)`` if it says nothing for ``SSHSession/Options/answerMilliseconds``.
    public func expect(_ line: String, named name: String) throws(SSHError) {
        let silence = channel.session.options.answerMilliseconds
        do {
            try attendUntil(line, named: name, silence: silence)
        } catch {
            guard case .timedOut(.channel, silence) = error else { throw error }
            throw .noAnswer(command: name, milliseconds: silence)
        }
    }

    private func attendUntil(_ line: String, named name: String, silence: Int64) throws(SSHError) {
        var (said, complaint): ([UInt8], [UInt8]) = ([], [])
        let mark = Array("\(line)\n".utf8)
        // Looked at by the closure that decides about the end while the other writes it.
        let found = Found()
        let outcome = try attend(
            input: .held([]), silence: silence,
            output: { bytes throws(SSHError) in
                said = Array((said + bytes).suffix(4096))
                found.isFound = said.suffix(mark.count) == mark[...]
            }, error: { bytes throws(SSHError) in complaint = Array((complaint + bytes).suffix(4096)) },
            isComplete: { found.isFound })
        if found.isFound { return }
        throw .commandFailed(command: name, status: outcome.shellStatus, output: GuestText.lines(complaint + said))
    }

    private final class Found { var isFound = false }

    /// Tells that the command is about to end by itself, with a status other than 0 or without leaving processes behind that
    /// hold its output. The next channel waits for that.
    public func leave() { channel.session.leftChannel = channel }
}
