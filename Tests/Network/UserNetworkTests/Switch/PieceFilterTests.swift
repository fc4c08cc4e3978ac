import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// Broadcasts of guests whose MTU is smaller than their datagrams.
@Suite struct PieceFilterTests {
    private let test: TestNetwork
    private let web: ScriptedPeer
    private let db: ScriptedPeer

    init() throws {
        test = try TestNetwork()
        web = try test.peer("web", 1)
        db = try test.peer("db", 2)
    }

    private static func datagram(from source: UInt16 = 9, to target: UInt16 = 9, _ count: Int = 4_000) -> [UInt8] {
        Wire.be16(source) + Wire.be16(target) + Wire.be16(count) + [0, 0]
            + (0..<count - 8).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    }

    private static func piece(
        _ payload: some Collection<UInt8>, at offset: Int, more: Bool, _ identification: UInt16 = 7,
        to destination: String = "10.77.0.255"
    ) -> [UInt8] {
        Wire.ipv4(
            from: TestNetwork.address(1), to: destination, transport: 17, Array(payload),
            fragment: (more ? 0x2000 : 0) | UInt16(offset / 8), identification: identification)
    }

    /// All pieces of a datagram.
    private static func pieces(
        _ datagram: [UInt8], _ identification: UInt16 = 7, to destination: String = "10.77.0.255"
    ) -> [[UInt8]] {
        stride(from: 0, to: datagram.count, by: 1_480).map { offset in
            let end = min(offset + 1_480, datagram.count)
            return piece(
                datagram[offset..<end], at: offset, more: end < datagram.count, identification, to: destination)
        }
    }

    private func broadcast(_ packet: [UInt8], to mac: String = "ff:ff:ff:ff:ff:ff") {
        web.send(Wire.ethernet(to: mac, from: web.mac, type: 0x0800, packet))
    }

    /// The packets that the neighbour has heard.
    private func heard() -> [[UInt8]] {
        test.settle()
        db.receive()
        defer { db.frames = [] }
        return db.frames.filter { $0.isUDP }.map { Array($0.bytes.dropFirst(14)) }
    }

    @Test(
        "a fragmented broadcast or multicast reaches the neighbours, piece by piece",
        arguments: [("ff:ff:ff:ff:ff:ff", "10.77.0.255"), ("01:00:5e:00:00:fb", "224.0.0.251")])
    func passes(mac: String, address: String) throws {
        for count in [1_481, 4_000, 65_515] {
            let pieces = Self.pieces(Self.datagram(count), UInt16(count), to: address)
            for piece in pieces { broadcast(piece, to: mac) }
            #expect(heard() == pieces)
        }
        #expect(web.machine.drops == [:])
        #expect(web.machine.pieces.count == 0, "what is whole is forgotten")
    }

    @Test("pieces without a first one reach nobody, and neither does what comes before it") func headless() {
        let pieces = Self.pieces(Self.datagram())
        broadcast(pieces[1])
        broadcast(pieces[2])
        #expect(heard().isEmpty)
        // Of another packet, or to another address.
        broadcast(pieces[0])
        broadcast(Self.pieces(Self.datagram(), 8)[1])
        broadcast(Self.pieces(Self.datagram(), to: "255.255.255.255")[1])
        #expect(heard() == [pieces[0]])
        #expect(web.machine.drops == [.notAllowed: 4])
    }

    @Test(
        "a DHCP message in pieces reaches nobody, whatever its rest looks like",
        arguments: [(67, 68), (67, 9), (9, 68), (68, 67)] as [(UInt16, UInt16)])
    func ports(source: UInt16, target: UInt16) {
        for piece in Self.pieces(Self.datagram(from: source, to: target)) { broadcast(piece) }
        #expect(heard().isEmpty)
        #expect(web.machine.drops == [.notAllowed: 3])
    }

    @Test("a piece that would put another UDP header in place of the one that was looked at does not pass")
    func rewrites() {
        let pieces = Self.pieces(Self.datagram())
        let other = Self.pieces(Self.datagram(from: 67, to: 68))[0]
        broadcast(pieces[0])
        broadcast(other)
        broadcast(pieces[1])
        broadcast(pieces[2])
        #expect(heard() == pieces)
        #expect(web.machine.drops == [.notAllowed: 1])
    }

    @Test("pieces that overlap or leave a gap spoil their packet", arguments: [8, 1_472, 1_488, 2_960])
    func places(offset: Int) {
        let datagram = Self.datagram()
        let pieces = Self.pieces(datagram)
        broadcast(pieces[0])
        broadcast(Self.piece(datagram[offset..<offset + 800], at: offset, more: true))
        broadcast(pieces[1])
        broadcast(pieces[2])
        #expect(heard() == [pieces[0]])
        #expect(web.machine.drops == [.notAllowed: 3])
    }

    @Test("first pieces that are too short for their header, uneven, or whole already do not pass")
    func malformed() {
        let datagram = Self.datagram()
        broadcast(Self.piece(datagram[..<4], at: 0, more: true))
        broadcast(Self.piece(datagram[..<0], at: 0, more: true))
        broadcast(Self.piece(datagram[..<1_001], at: 0, more: true))
        broadcast(Self.piece(datagram + [0, 0, 0, 0, 0, 0, 0, 0], at: 0, more: true))
        #expect(heard().isEmpty)
        // The largest packet ends before this piece does.
        broadcast(Self.piece(datagram[..<1_480], at: 65_512, more: false))
        #expect(heard().isEmpty)
        #expect(web.machine.drops == [.malformed: 5])
    }

    @Test("a flood of first pieces costs bounded memory, and no neighbour its packets") func flood() throws {
        let mine = Self.pieces(Self.datagram(), 1)
        let theirs = Wire.ipv4(
            from: db.address, to: "10.77.0.255", transport: 17, Array(Self.datagram()[..<1_480]), fragment: 0x2000)
        let rest = Wire.ipv4(
            from: db.address, to: "10.77.0.255", transport: 17, Array(Self.datagram()[1_480...]), fragment: 185)
        broadcast(mine[0])
        db.send(Wire.ethernet(to: "ff:ff:ff:ff:ff:ff", from: db.mac, type: 0x0800, theirs))
        test.settle()
        for number in 0..<100 as Range<UInt16> { broadcast(Self.pieces(Self.datagram(), 1_000 + number)[0]) }
        #expect(heard().count == 101)
        #expect(web.machine.pieces.count == PieceFilter.limit)
        // Its own oldest has made room.
        broadcast(mine[1])
        #expect(heard().isEmpty)
        broadcast(Self.pieces(Self.datagram(), 1_099)[1])
        #expect(heard().count == 1)
        db.send(Wire.ethernet(to: "ff:ff:ff:ff:ff:ff", from: db.mac, type: 0x0800, rest))
        #expect(try web.expect { $0.isUDP && $0.number(20, 2) == 185 }.bytes.dropFirst(14) == rest[...])
    }

    @Test("the rest of a packet is not waited for for ever") func ages() {
        var filter = PieceFilter()
        let frames = Self.pieces(Self.datagram()).map { Wire.ethernet(to: db.mac, from: web.mac, type: 0x0800, $0) }
        func refuses(_ index: Int, at now: MonotonicClock) -> DropReason? {
            let bytes = frames[index]
            let frame = bytes.span.bytes
            guard let packet = IPv4Header(frame) else { return .malformed }
            return filter.refuses(frame, packet, at: now)
        }
        let now = MonotonicClock.now
        #expect(refuses(0, at: now) == nil)
        #expect(refuses(1, at: now.advanced(byMilliseconds: PieceFilter.patience)) == nil)
        #expect(refuses(2, at: now.advanced(byMilliseconds: PieceFilter.patience + 1)) == .notAllowed)
        #expect(filter.count == 0)
    }
}
