public import JSON
public import LinuxSystem
public import SystemPackage

/// A connection to a monitor's control socket.
public struct MonitorClient: ~Copyable {
    /// A reply longer than this is refused, in bytes.
    private static let replyLimit = 1 << 20

    private let descriptor: OwnedDescriptor

    public static func connect(to path: FilePath) throws(MonitorError) -> MonitorClient {
        do { return MonitorClient(try UnixSocket.connect(to: path)) } catch { throw .unreachable(error) }
    }

    private init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Sends a request and waits for its answer.
    /// - Parameter milliseconds: How long to wait.
    /// - Throws: ``MonitorError/refused(_:)`` with the monitor's reason.
    @discardableResult
    public func perform(_ request: MonitorRequest, milliseconds: Int32 = 10_000) throws(MonitorError) -> JSONValue {
        try perform(request.json, milliseconds: milliseconds)
    }

    /// Tells the guest how large the virtio console's terminal is, in characters.
    public func resizeTerminal(columns: UInt16, rows: UInt16) throws(MonitorError) {
        try perform(
            [
                "command": .string(MonitorRequest.resizeTerminal.rawValue), "columns": .integer(Int64(columns)),
                "rows": .integer(Int64(rows)),
            ], milliseconds: 2_000)
    }

    @discardableResult
    private func perform(_ request: JSONValue, milliseconds: Int32) throws(MonitorError) -> JSONValue {
        let line: [UInt8]
        do {
            try descriptor.writeAll(request.compact + "\n")
            line = try readLine(milliseconds: milliseconds)
        } catch let error as MonitorError { throw error } catch let error as SystemError {
            throw .unreachable(error)
        } catch {
            throw .malformedReply
        }
        guard let reply = try? JSONParser.parse(line, limit: Self.replyLimit) else { throw .malformedReply }
        guard reply["ok"]?.boolValue == true else { throw .refused(reply["error"]?.stringValue ?? "no reason given") }
        return reply
    }

    /// Attaches to the serial port. What is written to the descriptor reaches the guest, and what is read comes from
    /// the guest.
    public consuming func attachConsole() throws(MonitorError) -> OwnedDescriptor {
        try perform(.console)
        return descriptor
    }

    /// Attaches to the virtio console in the same way.
    public consuming func attachTerminal() throws(MonitorError) -> OwnedDescriptor {
        try perform(.terminal)
        return descriptor
    }

    /// Waits until the monitor has ended.
    /// - Returns: Whether it ended in time.
    public func waitForEnd(milliseconds: Int32, cancellation: Cancellation? = nil) -> Bool {
        // The monitor says nothing unasked: whatever makes the connection readable is its end.
        (try? waitUntilReady(
            descriptor.rawValue, for: .readable, milliseconds: milliseconds, cancellation: cancellation)) ?? true
    }

    /// Reads byte by byte: behind the line that answers `console` begin the console's own bytes.
    private func readLine(milliseconds: Int32) throws -> [UInt8] {
        var line: [UInt8] = []
        let deadline = MonotonicClock.now.advanced(byMilliseconds: Int64(milliseconds))
        while line.count < Self.replyLimit {
            let left = Int32(clamping: max(0, deadline.milliseconds(since: .now)))
            guard try waitUntilReady(descriptor.rawValue, for: .readable, milliseconds: left) else {
                throw MonitorError.silent
            }
            let byte = try descriptor.read(upTo: 1)
            guard let byte = byte.first else { throw MonitorError.closed }
            if byte == UInt8(ascii: "\n") { return line }
            line.append(byte)
        }
        throw MonitorError.malformedReply
    }
}
