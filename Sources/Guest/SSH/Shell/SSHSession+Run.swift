import Glibc
import LinuxSystem
import Reporting

extension SSHSession {
    /// Runs a command to its end.
    /// - Parameters:
    ///   - output: Gets what the command prints, in pieces as they arrive. What it throws ends the run.
    ///   - error: The same for its standard error. With a terminal both arrive as output.
    /// - Throws: ``SSHError/timedOut(_:milliseconds:)`` at the command's time limit, ``SSHError/interrupted`` on
    ///   cancellation; the command may still run in the guest then.
    @discardableResult
    public func run(
        _ command: SSHCommand, input: SSHInput = .nothing,
        output: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in },
        error: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in }
    ) throws(SSHError) -> SSHOutcome {
        let process = command.environment.isEmpty ? try start(command) : try start(command.script)
        return try process.attend(
            input: input, milliseconds: command.milliseconds, silenceMilliseconds: command.silenceMilliseconds,
            output: output, error: error)
    }

    /// Runs a script to its end; otherwise as for a command. Processes that it leaves behind may hold its outputs.
    @discardableResult
    public func run(
        _ script: ShellScript, input: SSHInput = .nothing,
        output: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in },
        error: (ArraySlice<UInt8>) throws(SSHError) -> Void = { _ in }
    ) throws(SSHError) -> SSHOutcome {
        try start(script).attend(
            input: input, milliseconds: script.milliseconds, silenceMilliseconds: script.silenceMilliseconds,
            output: output, error: error)
    }

    /// Starts a command and does not wait for it. Its time limit applies to ``SSHProcess/attend``.
    public func start(_ command: SSHCommand) throws(SSHError) -> SSHProcess { try SSHProcess(command, over: self) }

    /// Starts a script in the same way.
    public func start(_ script: ShellScript) throws(SSHError) -> SSHProcess { try SSHProcess(script, over: self) }

    /// Runs a command and collects what it prints.
    /// - Parameter limit: The limit of each output, in bytes; the rest is dropped.
    public func collect(
        _ command: SSHCommand, input: SSHInput = .nothing, limit: Int = 16 << 20
    ) throws(SSHError) -> (outcome: SSHOutcome, output: [UInt8], error: [UInt8]) {
        var (output, error): ([UInt8], [UInt8]) = ([], [])
        let outcome = try run(
            command, input: input, output: { output += $0.prefix(max(0, limit - output.count)) },
            error: { error += $0.prefix(max(0, limit - error.count)) })
        return (outcome, output, error)
    }

    /// The same for a script.
    public func collect(
        _ script: ShellScript, input: SSHInput = .nothing, limit: Int = 16 << 20
    ) throws(SSHError) -> (outcome: SSHOutcome, output: [UInt8], error: [UInt8]) {
        var (output, error): ([UInt8], [UInt8]) = ([], [])
        let outcome = try run(
            script, input: input, output: { output += $0.prefix(max(0, limit - output.count)) },
            error: { error += $0.prefix(max(0, limit - error.count)) })
        return (outcome, output, error)
    }

    /// Runs a script that must succeed.
    /// - Returns: What it printed, as text.
    /// - Throws: ``SSHError/commandFailed(command:status:output:)`` with what it said otherwise.
    @discardableResult
    public func require(_ text: String, input: SSHInput = .nothing, named name: String? = nil) throws(SSHError)
        -> String
    {
        var script = ShellScript(text)
        script.silenceMilliseconds = options.answerMilliseconds
        let result = try collect(script, input: input, limit: 1 << 20)
        guard result.outcome.isSuccess else {
            let said = GuestText.lines((result.error + result.output).prefix(4096))
            throw .commandFailed(command: name ?? text, status: result.outcome.shellStatus, output: said)
        }
        return String(decoding: result.output, as: UTF8.self)
    }
}
