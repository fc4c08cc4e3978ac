import Glibc
import LinuxSystem
import NetworkAddress
import SystemPackage

/// Frames over a stream socket, each after its length in four bytes, the highest first, as QEMU's `-netdev stream` and
/// `wander-vmm` send them.
final class StreamLink: FrameLink {
    /// What goes out before anything else: frames in their order, of the first perhaps only the rest.
    private var outgoing = ByteQueue()
    /// In bytes: so much of a shared queue is put in order at once.
    private static let stage = 4 << 10
    /// The beginning of a frame whose rest has not arrived.
    private var partial = ByteQueue()
    /// Whether there are whole frames in ``partial``, which the last round left.
    private var waiting = false
    private var waitingSince = MonotonicClock.now
    private let scratch: Scratch

    init(_ descriptor: consuming OwnedDescriptor, receiver: any FrameReceiver, scratch: Scratch) {
        self.scratch = scratch
        super.init(descriptor, receiver: receiver)
    }

    override var queued: Int { outgoing.count + output.count }

    override var interest: Int16 { waiting ? super.interest & ~Int16(POLLIN) : super.interest }
    /// At once, if frames wait and may be handed on.
    override var deadline: MonotonicClock? { waiting && mayRead() ? waitingSince : super.deadline }
    override func deadlinePassed(_ now: MonotonicClock) { if waiting, mayRead() { take(reading: false) } }

    override func ready(_ events: Int16) {
        if events & Int16(POLLOUT) != 0 { flush() }
        guard events & Int16(POLLIN | POLLHUP | POLLERR) != 0, !isFinished, !waiting else { return }
        take(reading: true)
    }

    /// Hands frames on, and keeps what is left of them.
    private func take(reading: Bool) {
        let kept = partial.count
        unsafe scratch.bytes.copyMemory(from: partial.bytes)
        var result = 0
        if reading {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.bytes[kept...])
            result = unsafe read(descriptor.rawValue, room.baseAddress, room.count)
            guard result > 0 else {
                if result < 0, errno == EAGAIN || errno == EINTR { return }
                return receiver.linkClosed(self, reason: "the monitor disconnected")
            }
        }
        partial.removeAll()
        let all = unsafe UnsafeRawBufferPointer(rebasing: scratch.bytes[..<(kept + result)])
        let used = unsafe split(all)
        guard let used else { return receiver.linkClosed(self, reason: "the monitor sent an impossible frame length") }
        if !isFinished { unsafe partial.append(UnsafeRawBufferPointer(rebasing: all[used...])) }
    }

    /// Hands every whole frame on.
    /// - Returns: The bytes used; nil if a length is out of range.
    private func split(_ all: UnsafeRawBufferPointer) -> Int? {
        var position = 0
        waiting = false
        receiver.beginTurn()
        while all.count - position >= 4 {
            let length = Int(UInt32(bigEndian: unsafe all.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            guard length <= Self.receiveLimit else { return nil }
            guard length <= all.count - position - 4 else { break }
            guard !receiver.turnIsOver else {
                waiting = true
                waitingSince = .now
                break
            }
            let frame = unsafe UnsafeRawBufferPointer(rebasing: all[(position + 4)..<(position + 4 + length)])
            position += 4 + length
            receiver.link(self, received: unsafe frame.bytes)
            if isFinished { break }
        }
        return position
    }

    override func send(header: RawSpan, payload: UnsafeRawBufferPointer, from sender: FrameQueue.Sender) {
        let count = header.byteCount + payload.count
        guard count <= EthernetFrame.limit, !isFinished, !refuses(sender, at: .now) else {
            dropped += 1
            return
        }
        // Small frames travel together; a large one goes out at once, without being copied if the socket has room.
        if queued == 0, count >= 2048, unsafe sendNow(header, payload) { return }
        unsafe output.append(header, payload, from: sender)
        if queued >= 64 << 10 { flush() }
    }

    /// - Returns: Whether the frame is on its way.
    private func sendNow(_ header: RawSpan, _ payload: UnsafeRawBufferPointer) -> Bool {
        var prefix = UInt32(truncatingIfNeeded: header.byteCount + payload.count).bigEndian
        return unsafe withUnsafeBytes(of: &prefix) { prefix in
            unsafe header.withUnsafeBytes { header in
                let pieces = unsafe [prefix, header, payload]
                var vectors = unsafe pieces.map {
                    unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
                }
                var written = unsafe writev(descriptor.rawValue, &vectors, CInt(vectors.count))
                guard written > 0 else { return false }
                noteProgress()
                for index in 0..<3 {
                    let piece = unsafe pieces[index]
                    let skipped = min(written, piece.count)
                    written -= skipped
                    unsafe outgoing.append(UnsafeRawBufferPointer(rebasing: piece[skipped...]))
                }
                return true
            }
        }
    }

    override func flush() {
        while queued > 0 {
            // Whoever comes now, comes behind no more than this.
            while output.senders > 1, outgoing.count < Self.stage {
                _ = unsafe output.withFirst { unsafe outgoing.append($0) }
                output.removeFirst()
            }
            var written = 0
            if outgoing.isEmpty {
                written = unsafe output.useOnlyLine {
                    unsafe write(descriptor.rawValue, $0.baseAddress, $0.count)
                }
            } else {
                let bytes = unsafe outgoing.bytes
                written = unsafe write(descriptor.rawValue, bytes.baseAddress, bytes.count)
                outgoing.removeFirst(max(0, written))
            }
            // A broken connection shows when it is read.
            guard written > 0 else { return }
            noteProgress()
        }
    }
}

/// Memory that every link reads into, one after the other: the beginning of a frame, then what a read brings.
@safe final class Scratch {
    let bytes: UnsafeMutableRawBufferPointer
    init() {
        unsafe bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: FrameLink.receiveLimit + 4 + (256 << 10), alignment: 16)
    }
    deinit { unsafe bytes.deallocate() }
}
