import LinuxSystem
import SystemPackage

/// One peer of the control socket: lines of requests first, and after it attached to the console, the console's bytes.
final class ControlConnection {
    /// In bytes; a longer line ends the connection.
    static let lineLimit = 64 << 10
    /// What the guest has not taken, in bytes: then the peer waits.
    private static let inputLimit = 4 << 10

    private let descriptor: OwnedDescriptor
    private var unfinished: [UInt8] = []
    private var input: [UInt8] = []
    /// What it is attached to.
    enum Line { case serial, terminal }
    var line: Line?

    init(_ descriptor: consuming OwnedDescriptor) throws {
        try descriptor.setNonBlocking()
        self.descriptor = descriptor
    }

    var rawDescriptor: CInt { descriptor.rawValue }
    var hasInput: Bool { !input.isEmpty }
    /// Whether the peer has to wait until the guest takes what it typed.
    var isFull: Bool { line != nil && input.count >= Self.inputLimit }
    /// Whether the monitor does not look for what the peer sends, because ``isFull``.
    var isHeldUp = false

    /// Reads what there is.
    /// - Returns: The lines that are complete; nil if the peer has gone.
    func receive() -> [[UInt8]]? {
        if isFull { return [] }
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try descriptor.read(upTo: 4096) } catch {
            return error.errno == .resourceTemporarilyUnavailable ? [] : nil
        }
        guard !bytes.isEmpty else { return nil }
        if line != nil {
            input += bytes
            return []
        }
        unfinished += bytes
        var lines: [[UInt8]] = []
        while let end = unfinished.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(Array(unfinished[..<end]))
            unfinished.removeSubrange(...end)
        }
        return unfinished.count <= Self.lineLimit ? lines : nil
    }

    /// Gives the guest what the peer typed, as far as it has room.
    /// - Parameter deliver: Returns how many bytes found room.
    func deliverInput(_ deliver: (Line, ArraySlice<UInt8>) -> Int) {
        guard let line, !input.isEmpty else { return }
        input.removeFirst(deliver(line, input[...]))
    }

    /// - Returns: False if the peer has gone or does not read.
    func send(_ bytes: [UInt8]) -> Bool {
        do throws(SystemError) {
            // A peer that reads takes this at once: the socket's buffer is larger than what the guest writes meanwhile.
            guard try waitUntilReady(descriptor.rawValue, for: .writable, milliseconds: 0) else { return false }
            try descriptor.writeAll(bytes)
            return true
        } catch { return false }
    }
}
