import Glibc
import LinuxSystem
import NetworkAddress
import SystemPackage

/// Frames over a stream socket, each behind its length in four bytes, the highest first: what QEMU's `-netdev stream` and
/// `wander-vmm` speak.
final class StreamLink: FrameLink {
    private var output = ByteQueue()
    /// The beginning of a frame whose rest has not arrived.
    private var partial = ByteQueue()
    /// Whether there are whole frames in ``partial``, which the last round left.
    private var waiting = false
    private var waitingSince = MonotonicClock.now
    private let scratch: Scratch
    /// Frames of one round, so that a flood of small ones leaves time for other machines.
    static let batch = 64

    init(_ descriptor: consuming OwnedDescriptor, receiver: any FrameReceiver, scratch: Scratch) {
        self.scratch = scratch
        super.init(descriptor, receiver: receiver)
    }

    override var queued: Int { output.count }

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
        var frames = 0
        waiting = false
        while all.count - position >= 4 {
            let length = Int(UInt32(bigEndian: unsafe all.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            guard length <= Self.receiveLimit else { return nil }
            guard length <= all.count - position - 4 else { break }
            frames += 1
            guard frames <= Self.batch else {
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

    override func send(header: RawSpan, payload: UnsafeRawBufferPointer) {
        let count = header.byteCount + payload.count
        guard count <= EthernetFrame.limit, !isFinished, !refuses(.now) else {
            dropped += 1
            return
        }
        var prefix = UInt32(truncatingIfNeeded: count).bigEndian
        // Small frames travel together; a large one goes out at once, without being copied if the socket has room.
        guard output.isEmpty, count >= 2048 else {
            unsafe withUnsafeBytes(of: &prefix) { unsafe output.append($0) }
            output.append(header)
            unsafe output.append(payload)
            if output.count >= 64 << 10 { flush() }
            return
        }
        unsafe withUnsafeBytes(of: &prefix) { prefix in
            unsafe header.withUnsafeBytes { header in
                let pieces = unsafe [prefix, header, payload]
                var vectors = unsafe pieces.map {
                    unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
                }
                let result = unsafe writev(descriptor.rawValue, &vectors, CInt(vectors.count))
                var written = max(0, result)
                if written > 0 { noteProgress() }
                for index in 0..<3 {
                    let piece = unsafe pieces[index]
                    let skipped = min(written, piece.count)
                    written -= skipped
                    unsafe output.append(UnsafeRawBufferPointer(rebasing: piece[skipped...]))
                }
            }
        }
    }

    override func flush() {
        while !output.isEmpty {
            let bytes = unsafe output.bytes
            let result = unsafe write(descriptor.rawValue, bytes.baseAddress, bytes.count)
            // A broken connection shows when it is read.
            guard result > 0 else { return }
            noteProgress()
            output.removeFirst(result)
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
