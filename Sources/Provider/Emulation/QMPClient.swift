import JSON
import LinuxSystem
import SystemPackage

/// QEMU's machine protocol (docs/interop/qmp-spec.rst): JSON objects, one a line, over a Unix stream socket.
final class QMPClient {
    private let socket: OwnedDescriptor
    private var buffer: [UInt8] = []
    private var ended = false

    /// Connects and completes the greeting.
    /// - Throws: ``ProviderError/controlFailed(operation:reason:)`` if QEMU ends or says nothing in time.
    init(connectingTo path: FilePath, milliseconds: Int64 = 10_000, cancellation: Cancellation? = nil) throws {
        socket = try UnixSocket.connect(to: path)
        guard try message(milliseconds: milliseconds, cancellation: cancellation)?["QMP"] != nil else {
            try cancellation?.check()
            throw ProviderError.controlFailed(operation: "the connection to QEMU", reason: "no greeting")
        }
        _ = try execute("qmp_capabilities", milliseconds: milliseconds)
    }

    /// Runs a command and returns its result; events that come in between are dropped.
    @discardableResult
    func execute(_ command: String, _ arguments: JSONValue? = nil, milliseconds: Int64 = 10_000) throws -> JSONValue {
        var request = [JSONMember("execute", .string(command))]
        if let arguments { request.append(JSONMember("arguments", arguments)) }
        try socket.writeAll(JSONValue.object(request).compact + "\n")
        while let reply = try message(milliseconds: milliseconds, cancellation: nil) {
            if let result = reply["return"] { return result }
            if let error = reply["error"] {
                let reason = error["desc"]?.stringValue ?? "unknown reason"
                throw ProviderError.controlFailed(operation: "QEMU's command '\(command)'", reason: reason)
            }
        }
        throw ProviderError.controlFailed(operation: "QEMU's command '\(command)'", reason: "no answer")
    }

    /// Waits until QEMU closes the connection, which it does only by ending.
    func waitForEnd(milliseconds: Int64, cancellation: Cancellation?) throws -> Bool {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while !ended {
            let left = deadline.milliseconds(since: .now)
            guard left > 0, cancellation?.isRequested != true else { return false }
            _ = try message(milliseconds: left, cancellation: cancellation)
        }
        return true
    }

    /// The next message; nil at the end of the connection, after the time or on cancellation.
    private func message(milliseconds: Int64, cancellation: Cancellation?) throws -> JSONValue? {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while true {
            if let end = buffer.firstIndex(of: 0x0a) {
                let line = Array(buffer[..<end])
                buffer.removeSubrange(...end)
                return try JSONParser.parse(line)
            }
            let left = deadline.milliseconds(since: .now)
            guard !ended, left > 0,
                try waitUntilReady(
                    socket.rawValue, for: .readable, milliseconds: Int32(clamping: left), cancellation: cancellation)
            else { return nil }
            let bytes: [UInt8]
            do throws(SystemError) { bytes = try socket.read(upTo: 1 << 16) } catch {
                guard error.errno == .connectionReset else { throw error }
                bytes = []
            }
            if bytes.isEmpty { ended = true }
            buffer += bytes
            guard buffer.count <= 4 << 20 else {
                throw ProviderError.controlFailed(operation: "the connection to QEMU", reason: "an endless line")
            }
        }
    }
}
