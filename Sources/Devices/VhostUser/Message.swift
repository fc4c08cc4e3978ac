import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One message of the front-end, whole, with the descriptors that came with it.
struct Message {
    var request: FrontEndRequest
    var wantsReply: Bool
    var payload: [UInt8]
    var descriptors: [SharedDescriptor]

    /// A little-endian integer of the payload; 0 behind its end, which is checked before.
    func word<T: FixedWidthInteger>(_: T.Type = T.self, at offset: Int) -> T {
        var value: T = 0
        for index in 0..<T.bitWidth / 8 where payload.indices.contains(offset + index) {
            value |= T(truncatingIfNeeded: payload[offset + index]) << T(8 * index)
        }
        return value
    }

    func malformed(_ why: String) -> VhostUserError { .malformed(request: request.rawValue, why) }
}

/// The socket to the front-end. Used by one thread.
struct MessageChannel: ~Copyable {
    private static let headerByteCount = 12
    private let socket: OwnedDescriptor

    init(_ socket: consuming OwnedDescriptor) { self.socket = socket }

    /// The next message, checked as far as one can without knowing what came before; nil when the front-end has closed.
    func receive() throws(VhostUserError) -> Message? {
        var header = [UInt8](repeating: 0, count: Self.headerByteCount)
        let (first, descriptors) = try receiveStart(&header)
        if first == 0 { return nil }
        try fill(&header, from: first)
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(header[offset + $1]) << UInt32(8 * $1) }
        }
        let (number, flags, count) = (word(0), word(4), Int(word(8)))
        guard flags & MessageFlags.versionMask == MessageFlags.version, flags & MessageFlags.reply == 0 else {
            throw .malformed(request: number, "its flags are \(flags)")
        }
        guard let request = FrontEndRequest(rawValue: number) else {
            throw .malformed(request: number, "it belongs to a feature that was not offered")
        }
        guard request.payloadByteCounts.contains(count) else {
            throw .malformed(request: number, "it has \(count) bytes")
        }
        guard descriptors.count <= request.descriptorLimit else {
            throw .malformed(request: number, "it has \(descriptors.count) descriptors")
        }
        var payload = [UInt8](repeating: 0, count: count)
        try fill(&payload, from: 0)
        return Message(
            request: request, wantsReply: flags & MessageFlags.needsReply != 0, payload: payload,
            descriptors: descriptors)
    }

    /// Answers a message.
    func reply(to request: FrontEndRequest, _ payload: [UInt8]) throws(VhostUserError) {
        let words = [request.rawValue, MessageFlags.version | MessageFlags.reply, UInt32(payload.count)]
        let header = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        let bytes = header + payload
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            // Without a signal where nobody is left to read it.
            unsafe linux_send_descriptors(socket.rawValue, bytes.baseAddress, bytes.count, nil, 0)
        }
        // A front-end that has gone is noticed when the next message is waited for.
        if sent == bytes.count || sent == -Int(EPIPE) || sent == -Int(ECONNRESET) { return }
        let reason = sent < 0 ? Errno(rawValue: CInt(truncatingIfNeeded: -sent)) : .noBufferSpace
        throw .system(SystemError("answer the monitor", nil, reason))
    }

    /// The first bytes of a message: descriptors come with them.
    private func receiveStart(_ buffer: inout [UInt8]) throws(VhostUserError) -> (Int, [SharedDescriptor]) {
        var numbers = [CInt](repeating: -1, count: MemoryTable.regionLimit)
        var found = 0
        let capacity = numbers.count
        while true {
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe numbers.withUnsafeMutableBufferPointer { numbers in
                    unsafe linux_receive_descriptors(
                        socket.rawValue, bytes.baseAddress, bytes.count, numbers.baseAddress, capacity, &found)
                }
            }
            if result == -Int(EINTR) { continue }
            // A front-end that was killed: its end is closed, whatever it had not read.
            if result == -Int(ECONNRESET) { return (0, []) }
            if result == -Int(EMSGSIZE) { throw .malformed(request: 0, "it has too many descriptors") }
            guard result >= 0 else {
                throw .system(
                    SystemError("hear from the monitor", nil, Errno(rawValue: CInt(truncatingIfNeeded: -result))))
            }
            return (result, numbers.prefix(found).map { SharedDescriptor(OwnedDescriptor(owning: $0)) })
        }
    }

    private func fill(_ buffer: inout [UInt8], from start: Int) throws(VhostUserError) {
        var done = start
        var failure: VhostUserError?
        unsafe buffer.withUnsafeMutableBytes { bytes in
            while done < bytes.count, failure == nil {
                do throws(SystemError) {
                    let count = try unsafe socket.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]))
                    if count == 0 { failure = .cutOff }
                    done += count
                } catch { failure = .system(error) }
            }
        }
        if let failure { throw failure }
    }
}
