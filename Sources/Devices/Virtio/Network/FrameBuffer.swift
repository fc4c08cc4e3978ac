import Glibc
import NetworkAddress

/// Bytes on their way between a stream socket and a queue: frames, each after its length in four bytes, big-endian.
///
/// The memory is allocated when the first frame passes and freed with the queue.
@safe struct FrameBuffer: ~Copyable, @unchecked Sendable {
    // Unchecked: not copyable, so the memory has one user at a time.
    /// Lengths from here on are no frame's: the peer does not speak the protocol. In bytes.
    static let lengthLimit = 1 << 20
    static let prefixByteCount = 4
    static let capacity = 256 << 10

    private var memory: UnsafeMutableRawPointer? = nil
    private var start = 0
    private var end = 0
    /// What is still to come of a frame that is too long, in bytes.
    private var skipped = 0

    init() {}
    deinit { unsafe memory?.deallocate() }

    var isEmpty: Bool { start == end }

    /// What became of an attempt to move bytes.
    enum Transfer {
        case moved
        /// The socket has nothing, or takes nothing, for now.
        case blocked
        case closed
    }

    /// Forgets all bytes and gives the memory back.
    mutating func reset() {
        unsafe memory?.deallocate()
        unsafe memory = nil
        start = 0
        end = 0
        skipped = 0
    }

    private mutating func base() -> UnsafeMutableRawPointer {
        if let memory = unsafe memory { return unsafe memory }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.capacity, alignment: 64)
        unsafe self.memory = memory
        return unsafe memory
    }

    // MARK: From the socket

    /// Reads what the socket has, as far as there is room.
    mutating func fill(from socket: CInt) -> Transfer {
        let base = unsafe base()
        if start == end {
            (start, end) = (0, 0)
        } else if start > 0, Self.capacity - end < Self.prefixByteCount + EthernetFrame.limit {
            unsafe base.copyMemory(from: base + start, byteCount: end - start)
            (start, end) = (0, end - start)
        }
        while true {
            // SAFETY: `end` never passes the capacity.
            let count = unsafe recv(socket, base + end, Self.capacity - end, CInt(MSG_DONTWAIT))
            if count > 0 {
                end += count
                return .moved
            }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .blocked
            default: return .closed
            }
        }
    }

    /// The next whole frame.
    @safe enum Next {
        case frame(UnsafeRawBufferPointer)
        /// A frame that is too long for anybody; it passes unread.
        case oversized
        case incomplete
        /// The peer does not speak the protocol: lengths can no longer be told from frames.
        case invalid
    }

    mutating func next() -> Next {
        let passing = min(skipped, end - start)
        start += passing
        skipped -= passing
        guard let memory = unsafe memory, end - start >= Self.prefixByteCount else { return .incomplete }
        let length = Int(UInt32(bigEndian: unsafe (memory + start).loadUnaligned(as: UInt32.self)))
        guard (1..<Self.lengthLimit).contains(length) else { return .invalid }
        guard length <= EthernetFrame.limit else {
            start += Self.prefixByteCount
            skipped = length
            return .oversized
        }
        guard end - start - Self.prefixByteCount >= length else { return .incomplete }
        return unsafe .frame(UnsafeRawBufferPointer(start: memory + start + Self.prefixByteCount, count: length))
    }

    /// Drops the frame that ``next()`` returned.
    mutating func consume(_ frame: Int) { start += Self.prefixByteCount + frame }

    // MARK: To the socket

    /// Whether a frame of any size fits.
    var hasRoom: Bool { Self.capacity - end >= Self.prefixByteCount + EthernetFrame.limit }

    /// Appends a frame of `count` bytes, at most `EthernetFrame.limit`, that `body` fills in. ``hasRoom`` was asked
    /// before.
    /// - Parameter body: Returns whether the frame is to be sent.
    mutating func append(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Bool) -> Bool {
        guard hasRoom, count <= EthernetFrame.limit else { return false }
        let place = unsafe base() + end
        let frame = unsafe UnsafeMutableRawBufferPointer(start: place + Self.prefixByteCount, count: count)
        guard unsafe body(frame) else { return false }
        unsafe place.storeBytes(of: UInt32(count).bigEndian, as: UInt32.self)
        end += Self.prefixByteCount + count
        return true
    }

    /// Writes as much as the socket takes. `.moved` says that all is written.
    mutating func drain(to socket: CInt) -> Transfer {
        guard let memory = unsafe memory else { return .moved }
        while start < end {
            let flags = CInt(MSG_DONTWAIT | MSG_NOSIGNAL)
            let count = unsafe send(socket, memory + start, end - start, flags)
            if count > 0 {
                start += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .blocked
            default: return .closed
            }
        }
        (start, end) = (0, 0)
        return .moved
    }
}
