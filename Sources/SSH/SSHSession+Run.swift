import Glibc
import LinuxSystem

extension SSHSession {
    /// Runs a command to its end.
    /// - Parameters:
    ///   - output: Gets what the command prints, in pieces as they arrive. What it throws ends the run.
    ///   - error: The same for its standard error. With a terminal both arrive as output.
    ///   - isComplete: Asked after output has arrived; true ends the run with ``SSHOutcome/unknown`` although the output is
    ///     still open, as it stays when the command leaves a process behind.
    /// - Throws: ``SSHError/timedOut(_:milliseconds:)`` at the command's time limit, ``SSHError/interrupted`` on
    ///   cancellation; the command may still run in the guest then.
    @discardableResult
    public func run(
        _ command: SSHCommand, input: SSHInput = .nothing,
        output: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in },
        error: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in }, isComplete: (() -> Bool)? = nil
    ) throws(SSHError) -> SSHOutcome {
        let channel = try SSHChannel(self)
        if let terminal = command.terminal { try channel.requestTerminal(terminal) }
        try channel.start(command.line)
        let limit = command.milliseconds.map { MonotonicClock.now.advanced(byMilliseconds: $0) }
        var pump = ChannelPump(channel, input: input, limit: limit, milliseconds: command.milliseconds ?? 0)
        pump.isComplete = isComplete
        return try pump.run(output: output, error: error)
    }

    /// Runs a command and collects what it prints.
    /// - Parameter limit: Of each output, in bytes; the rest is dropped.
    public func collect(
        _ command: SSHCommand, input: SSHInput = .nothing, limit: Int = 16 << 20
    ) throws(SSHError) -> (outcome: SSHOutcome, output: [UInt8], error: [UInt8]) {
        var output: [UInt8] = []
        var error: [UInt8] = []
        let outcome = try run(
            command, input: input, output: { output += $0.prefix(max(0, limit - output.count)) },
            error: { error += $0.prefix(max(0, limit - error.count)) })
        return (outcome, output, error)
    }

    /// Runs a command that must succeed.
    /// - Returns: What it printed, as text.
    /// - Throws: ``SSHError/commandFailed(command:status:output:)`` with what it said otherwise.
    @discardableResult
    public func require(_ text: String, input: SSHInput = .nothing, named name: String? = nil) throws(SSHError)
        -> String
    {
        let result = try collect(SSHCommand(text), input: input, limit: 1 << 20)
        guard result.outcome.isSuccess else {
            let said = GuestText.lines((result.error + result.output).prefix(4096))
            throw .commandFailed(command: name ?? text, status: result.outcome.shellStatus, output: said)
        }
        return String(decoding: result.output, as: UTF8.self)
    }
}
