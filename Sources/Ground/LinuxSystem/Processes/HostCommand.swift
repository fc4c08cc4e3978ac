import Glibc
public import SystemPackage

/// A program of the host's that does something for a command of wander's: it runs to its end, is ended when that
/// command is stopped or its time is over, and does not outlive a command that is killed.
///
/// It has a session of its own: the terminal's Ctrl-C reaches wander alone, which decides, and a question that the
/// program asks the terminal is an error at once.
public struct HostCommand: Sendable {
    public enum Stream: Sendable { case output, error }
    public enum Ending: Hashable, Sendable {
        case ended(ChildProcess.Outcome)
        case timedOut
        case interrupted
    }

    /// The program, looked up in PATH unless it has a slash, and its arguments.
    public var arguments: [String]
    /// Beside this process's environment.
    public var environment: [String: String] = [:]
    public var directory: FilePath?
    /// How long it may take; nil for no limit.
    public var milliseconds: Int64?

    public init(_ arguments: [String]) { self.arguments = arguments }

    /// How long it may take from the request to end until it is killed, in milliseconds.
    private static let patience: Int64 = 5000
    /// How often what it has printed last is read, in pieces: what it has left in the background may print for ever.
    private static let lastPieces = 64

    /// Becomes the program. Beside it something waits for the end of a pipe that only wander holds, and then ends what
    /// is left of the session. It is nobody's child, since a program may wait for all of its own.
    private static let leash = """
        ( { trap '' TERM; read -r ended <&3 || { kill -s TERM -- "-$$"; sleep 5; kill -s KILL -- "-$$"; }; } \
        >/dev/null 2>&1 </dev/null & )
        exec "$@" 3<&-
        """

    /// Runs it. What it leaves in the background may hold its outputs, and is not waited for.
    /// - Parameter output: Gets what it prints, in pieces as they arrive. What it throws ends the program.
    public func run(
        cancellation: Cancellation? = nil, output: (Stream, [UInt8]) throws -> Void
    ) throws -> Ending {
        try cancellation?.check()
        let (printed, said, leash) = try (ChildPipe(), ChildPipe(), ChildPipe())
        defer {
            // Nothing is left that should be ended.
            var line = ArraySlice("\n".utf8)
            _ = leash.write(&line)
            for pipe in [printed, said, leash] {
                pipe.closeReadEnd()
                pipe.closeWriteEnd()
            }
        }
        var options = ChildProcess.Options()
        options.output = .descriptor(printed.writeEnd)
        options.error = .descriptor(said.writeEnd)
        options.extraDescriptors = [leash.readEnd]
        options.directory = directory
        options.newSession = true
        let kept = currentEnvironment().filter { environment[String($0.prefix { $0 != "=" })] == nil }
        options.environment = kept + environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let child = try ChildProcess.start(["/bin/sh", "-c", Self.leash, "sh"] + arguments, options)
        do {
            let ending = try attend(child, printed, said, cancellation, output)
            let outcome = try child.wait() ?? .exited(-1)
            return ending ?? .ended(outcome)
        } catch {
            _ = kill(-child.identifier, SIGKILL)
            _ = try? child.wait()
            throw error
        }
    }

    /// Until its end.
    /// - Returns: Why it was ended; nil if it has ended by itself.
    private func attend(
        _ child: borrowing ChildProcess, _ printed: ChildPipe, _ said: ChildPipe, _ cancellation: Cancellation?,
        _ output: (Stream, [UInt8]) throws -> Void
    ) throws -> Ending? {
        let poller = try Poller()
        try poller.add(printed.readEnd, .readable, token: 0)
        try poller.add(said.readEnd, .readable, token: 1)
        try poller.add(child.endDescriptor, .readable, token: 2)
        if let cancellation { try poller.add(cancellation.rawDescriptor, .readable, token: 3) }
        var ending: Ending?
        var deadline = milliseconds.map { MonotonicClock.now.advanced(byMilliseconds: $0) }
        func take(_ token: UInt64) throws {
            try output(token == 0 ? .output : .error, token == 0 ? printed.read() : said.read())
        }
        var hasEnded = false
        while !hasEnded {
            let left = deadline.map { Int32(clamping: max(0, $0.milliseconds(since: .now))) } ?? -1
            for ready in try poller.wait(milliseconds: left) {
                switch ready.token {
                case 2: hasEnded = true
                case 3:
                    if let cancellation { poller.remove(cancellation.rawDescriptor) }
                    if ending == nil { deadline = ask(child, to: .interrupted, &ending) }
                default: try take(ready.token)
                }
            }
            guard !hasEnded, let over = deadline, over.milliseconds(since: .now) <= 0 else { continue }
            if ending == nil {
                deadline = ask(child, to: .timedOut, &ending)
            } else {
                _ = kill(-child.identifier, SIGKILL)
                deadline = nil
            }
        }
        for _ in 0..<Self.lastPieces {
            let ready = try poller.wait(milliseconds: 0).filter { $0.token < 2 }
            if ready.isEmpty { break }
            for item in ready { try take(item.token) }
        }
        return ending
    }

    /// - Returns: When it is killed.
    private func ask(_ child: borrowing ChildProcess, to reason: Ending, _ ending: inout Ending?) -> MonotonicClock {
        _ = kill(-child.identifier, SIGTERM)
        ending = reason
        return MonotonicClock.now.advanced(byMilliseconds: Self.patience)
    }
}
