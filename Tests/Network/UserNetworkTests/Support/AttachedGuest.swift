import Glibc
import LinuxSystem
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// A guest and its monitor, connected to a network in another process.
final class AttachedGuest: FrameGuest {
    let mac: String
    let address: String
    private let socket: OwnedDescriptor
    private var input: [UInt8] = []
    var frames: [Seen] = []
    /// Pieces of packets, by their identification and then by their place.
    private var pieces: [UInt32: [Int: [UInt8]]] = [:]

    init(_ socket: FilePath, number: Int = 1) throws {
        mac = TestNetwork.mac(number)
        address = TestNetwork.address(number)
        self.socket = try UnixSocket.connect(to: socket)
    }

    @discardableResult
    func send(packet: [UInt8]) -> Bool {
        let frame = Wire.ethernet(to: "52:55:0a:4d:00:01", from: mac, type: 0x0800, packet)
        return (try? socket.writeAll(Wire.be32(frame.count) + frame)) != nil
    }

    func receive() {
        while (try? waitUntilReady(socket.rawValue, for: .readable, milliseconds: 0)) == true,
            let bytes = try? socket.read(upTo: 1 << 18), !bytes.isEmpty
        {
            input += bytes
            split()
        }
    }

    /// Sends a datagram, in as many pieces as it needs.
    func send(_ payload: [UInt8], from port: UInt16, to target: (String, UInt16), mtu: Int) throws {
        let packet = Wire.udp(from: (address, port), to: target, payload)
        guard packet.count > mtu else {
            send(packet: packet)
            return
        }
        let datagram = Array(packet.dropFirst(20))
        let size = (mtu - 20) / 8 * 8
        for offset in stride(from: 0, to: datagram.count, by: size) {
            let end = min(offset + size, datagram.count)
            send(
                packet: Wire.ipv4(
                    from: address, to: target.0, transport: 17, Array(datagram[offset..<end]),
                    fragment: (end < datagram.count ? 0x2000 : 0) | UInt16(offset / 8), identification: port))
        }
    }

    /// The next frame that matches, pieces put together first; nil if none comes in time.
    func hear(within milliseconds: Int64 = 10_000, _ matches: (Seen) -> Bool) throws -> Seen? {
        let limit = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while true {
            if let index = frames.firstIndex(where: matches) { return frames.remove(at: index) }
            let left = Int32(clamping: limit.milliseconds(since: .now))
            guard left > 0, try waitUntilReady(socket.rawValue, for: .readable, milliseconds: left) else { return nil }
            let bytes = try socket.read(upTo: 1 << 18)
            guard !bytes.isEmpty else { return nil }
            input += bytes
            split()
        }
    }

    func expect(
        _ comment: Comment? = nil, _ location: Testing.SourceLocation = #_sourceLocation, _ matches: (Seen) -> Bool
    ) throws -> Seen { try #require(try hear(matches), comment, sourceLocation: location) }

    private func split() {
        while input.count >= 4 {
            let length = input[..<4].reduce(0) { $0 << 8 | Int($1) }
            guard input.count - 4 >= length else { return }
            take(Seen(Array(input[4..<4 + length])))
            input.removeFirst(4 + length)
        }
    }

    private func take(_ frame: Seen) {
        let field = frame.number(20, 2)
        guard frame.type == 0x0800, field & 0x3fff != 0 else { return frames.append(frame) }
        let payload = frame.slice(34..<14 + Int(frame.number(16, 2)))
        let key = frame.number(18, 2)
        pieces[key, default: [:]][Int(field & 0x1fff) * 8] = payload
        if field & 0x2000 == 0 { pieces[key]?[-1] = [] }
        guard let all = pieces[key], all[-1] != nil else { return }
        var whole: [UInt8] = []
        for (place, piece) in all.sorted(by: { $0.key < $1.key }) where place >= 0 {
            guard place == whole.count else { return }
            whole += piece
        }
        pieces[key] = nil
        frames.append(Seen(frame.slice(0..<34) + whole))
    }
}
