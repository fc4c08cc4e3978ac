public import LinuxSystem
public import SystemPackage

/// Connections from the host to a guest's TCP ports, through the Unix socket that the network keeps in the machine's
/// folder. It uses no port of the host, and only the folder's owner can connect.
///
/// The protocol: `CONNECT port` or `WAIT port milliseconds` in a line; the answer is a line, `OK` or `ERROR reason`;
/// after `OK` the socket carries the connection's bytes. `WAIT` tries until the port opens, many times a second, also
/// before the machine runs.
public enum GuestPort {
    /// Connects to a port that is expected to be open.
    /// - Parameters:
    ///   - socket: The machine's ``MachineAttachment/access``.
    ///   - milliseconds: How long to wait for the port to open; nil fails at once if it is closed.
    /// - Throws: ``NetworkError/guestPort(_:machine:reason:)``, a `SystemError` if nobody serves the socket,
    ///   `Interruption`.
    public static func connect(
        through socket: FilePath, port: UInt16, waitingMilliseconds milliseconds: Int64? = nil, machine: String? = nil,
        cancellation: Cancellation? = nil
    ) throws -> OwnedDescriptor {
        let descriptor = try UnixSocket.connect(to: socket)
        try descriptor.writeAll(milliseconds.map { "WAIT \(port) \(max(0, $0))\n" } ?? "CONNECT \(port)\n")
        // The network answers within its own limit; a little more tells a hung network from a slow guest.
        let deadline = MonotonicClock.now.advanced(byMilliseconds: (milliseconds ?? 10_000).addingClamped(5_000))
        var answer: [UInt8] = []
        // Byte by byte: what follows the line is the connection's, and a socket cannot take bytes back.
        while answer.last != 0x0a, answer.count < 256 {
            let left = Int32(clamping: max(0, deadline.milliseconds(since: .now)))
            let ready = try waitUntilReady(
                descriptor.rawValue, for: .readable, milliseconds: left, cancellation: cancellation)
            try cancellation?.check()
            let byte = ready ? try descriptor.read(upTo: 1) : []
            guard !byte.isEmpty else { throw NetworkError.noAnswer(socket) }
            answer += byte
        }
        let line = String(decoding: answer.dropLast(), as: UTF8.self)
        guard line == "OK" else {
            let reason = line.hasPrefix("ERROR ") ? String(line.dropFirst(6)) : "an unknown answer"
            throw NetworkError.guestPort(port, machine: machine, reason: reason)
        }
        return descriptor
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
