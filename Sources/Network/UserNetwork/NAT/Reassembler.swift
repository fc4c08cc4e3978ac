import LinuxSystem
import NetworkAddress
import NetworkControl

/// Puts the pieces of fragmented packets together (RFC 791, section 3.2), within small bounds and without tolerance:
/// pieces that overlap, as attacks do and no sender does, spoil their packet.
struct Reassembler {
    /// Packets under way at the same time; the oldest makes room.
    static let limit = 8
    /// How long the rest of a packet may take, in milliseconds.
    static let patience: Int64 = 5_000

    private struct Key: Hashable {
        var destination: IPv4Address
        var identification: UInt16
        var transport: UInt8
    }
    private struct Partial {
        var key: Key
        var started: MonotonicClock
        /// Pieces by their offset in the packet, in bytes.
        var pieces: [Int: [UInt8]] = [:]
        var held = 0
        /// The payload's length, once its last piece has come.
        var total: Int?
    }
    private var partials: [Partial] = []

    /// In bytes.
    var held: Int { partials.reduce(0) { $0 + $1.held } }

    /// Takes a frame with a piece.
    /// - Returns: The frame of the whole packet, if this piece completes it.
    mutating func add(_ frame: RawSpan, _ packet: IPv4Header, at now: MonotonicClock) -> [UInt8]? {
        partials.removeAll { now.milliseconds(since: $0.started) > Self.patience }
        let start = EthernetHeader.count
        guard let identification = frame.uint16(start + 4), let field = frame.uint16(start + 6) else { return nil }
        let offset = Int(field & 0x1fff) * 8
        let isLast = field & 0x2000 == 0
        let payload = frame.copy(from: packet.payloadOffset, count: packet.payloadCount)
        let end = offset + payload.count
        // A piece in the middle has a multiple of eight bytes; nothing may pass the largest packet, or be split to
        // nothing.
        guard !payload.isEmpty, isLast || payload.count % 8 == 0, end <= 65_515 else { return nil }
        let key = Key(destination: packet.destination, identification: identification, transport: packet.transport)
        var partial: Partial
        if let index = partials.firstIndex(where: { $0.key == key }) {
            partial = partials.remove(at: index)
        } else {
            if partials.count >= Self.limit { partials.removeFirst() }
            partial = Partial(key: key, started: now)
        }
        let overlaps = partial.pieces.contains { $0.key < end && offset < $0.key + $0.value.count }
        guard !overlaps, partial.pieces.count < 64, !(isLast && partial.total != nil), end <= partial.total ?? .max
        else {
            return nil
        }
        partial.pieces[offset] = payload
        partial.held += payload.count
        if isLast { partial.total = end }
        guard let total = partial.total, partial.held == total else {
            if partial.total.map({ partial.held < $0 }) ?? true { partials.append(partial) }
            return nil
        }
        var writer = FrameWriter(capacity: 34 + total)
        writer.append(frame.copy(from: 0, count: start))
        writer.appendIPv4(
            from: packet.source, to: packet.destination, transport: packet.transport, payloadCount: total)
        for piece in partial.pieces.sorted(by: { $0.key < $1.key }) { writer.append(piece.value) }
        return writer.bytes
    }
}
