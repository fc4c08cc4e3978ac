import LinuxSystem
import SystemPackage

/// One end of a stream socket that carries lines of text and then, possibly, raw bytes.
struct LineConnection: ~Copyable {
    private let descriptor: OwnedDescriptor
    private var buffered: [UInt8] = []
    static let lineLimit = 1 << 20

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    func send(_ line: String) throws(SystemError) { try descriptor.writeAll(line + "\n") }

    /// Sends a line, and copies of descriptors with it.
    func send(_ line: String, with descriptors: [CInt]) throws(SystemError) {
        try UnixSocket.send(Array((line + "\n").utf8), with: descriptors, through: descriptor)
    }

    /// The next line without its end; nil if the other side closed, the time was over or the line is too long.
    mutating func receive(milliseconds: Int64, cancellation: Cancellation? = nil) throws -> String? {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while true {
            if let end = buffered.firstIndex(of: 0x0a) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return line
            }
            guard buffered.count < Self.lineLimit else { return nil }
            let left = Int32(clamping: max(0, deadline.milliseconds(since: .now)))
            let ready = try waitUntilReady(
                descriptor.rawValue, for: .readable, milliseconds: left, cancellation: cancellation)
            try cancellation?.check()
            guard ready else { return nil }
            let bytes = try descriptor.read(upTo: 1 << 16)
            guard !bytes.isEmpty else { return nil }
            buffered += bytes
        }
    }

    /// Gives up the socket for the raw bytes that follow, of which `rest` were read already.
    consuming func takeDescriptor(rest: inout [UInt8]) -> OwnedDescriptor {
        rest = buffered
        return descriptor
    }
}
