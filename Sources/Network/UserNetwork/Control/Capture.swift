import Glibc
import LinuxSystem
import NetworkAddress

/// A connection on which frames travel as a pcap file.
final class Capture: EventSource {
    /// What may wait for the reader, in bytes; frames beyond are left out, since a capture must not slow the network.
    static let limit = 4 << 20
    /// Bytes of each frame that are kept.
    static let snapshotLength = EthernetFrame.limit

    private let descriptor: OwnedDescriptor
    /// nil captures every machine's frames.
    private let machine: Station?
    private var output = ByteQueue()
    private(set) var lost: UInt64 = 0

    init(_ descriptor: consuming OwnedDescriptor, machine: Station?) {
        self.descriptor = descriptor
        self.machine = machine
        super.init()
        // Version 2.4, no time zone, Ethernet; the magic number says that times have nanoseconds.
        var header: [UInt8] = []
        for field in [0xa1b2_3c4d, 0x0004_0002, 0, 0, UInt32(Self.snapshotLength), 1] as [UInt32] {
            header += Self.bytes(field)
        }
        unsafe output.append(header.span.bytes)
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    func record(_ header: RawSpan, payload: UnsafeRawBufferPointer, _ machine: Station) {
        if let wanted = self.machine, wanted !== machine { return }
        let count = header.byteCount + payload.count
        guard output.count + count + 16 <= Self.limit else {
            lost += 1
            return
        }
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        let kept = min(count, Self.snapshotLength)
        let record =
            Self.bytes(UInt32(truncatingIfNeeded: time.tv_sec)) + Self.bytes(UInt32(truncatingIfNeeded: time.tv_nsec))
            + Self.bytes(UInt32(kept)) + Self.bytes(UInt32(count))
        unsafe output.append(record.span.bytes)
        let first = min(header.byteCount, kept)
        output.append(header.extracting(0..<first))
        unsafe output.append(UnsafeRawBufferPointer(rebasing: payload[..<(kept - first)]))
    }

    override var rawDescriptor: CInt { descriptor.rawValue }
    override var interest: Int16 { Int16(POLLIN) | (output.isEmpty ? 0 : Int16(POLLOUT)) }

    override func ready(_ events: Int16) {
        if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            var bytes: (UInt64, UInt64) = (0, 0)
            let result = unsafe read(descriptor.rawValue, &bytes, 16)
            // The reader says nothing more; it ends by closing.
            if result == 0 || result < 0 && errno != EAGAIN && errno != EINTR { return finish() }
        }
        guard events & Int16(POLLOUT) != 0 else { return }
        let bytes = unsafe output.bytes
        let written = unsafe write(descriptor.rawValue, bytes.baseAddress, bytes.count)
        if written > 0 { output.removeFirst(written) }
    }
}

extension Network {
    func capture(_ frame: RawSpan, _ machine: Station) {
        guard !captures.isEmpty else { return }
        unsafe capture(frame, payload: UnsafeRawBufferPointer(start: nil, count: 0), machine)
    }

    func capture(_ header: RawSpan, payload: UnsafeRawBufferPointer, _ machine: Station) {
        guard !captures.isEmpty else { return }
        captures.removeAll(where: \.isFinished)
        for capture in captures { unsafe capture.record(header, payload: payload, machine) }
    }
}
