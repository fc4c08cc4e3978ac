import Glibc
import GuestMemory
import LinuxSystem
import NetworkAddress
import Synchronization
import SystemPackage
import Testing
import Virtio

@Suite struct NetworkDeviceTests {
    private static let mac = MACAddress(rawValue: 0x5254_0001_0203)
    private static let mergeable: UInt64 = 1 << 15

    /// A device with a started driver, and the peer's end of its socket.
    private final class Fixture {
        let driver: GuestDriver
        let device: NetworkDevice
        private var peer: OwnedDescriptor?

        init(features: UInt64 = .max, mtu: UInt16 = 65520) throws {
            let pair = try UnixSocket.pair()
            device = try NetworkDevice(socket: pair.read.duplicate(), macAddress: NetworkDeviceTests.mac, mtu: mtu)
            driver = try GuestDriver(device, byteCount: 32 << 20)
            peer = try pair.write.duplicate()
            driver.start(features)
        }

        var receive: GuestQueue { driver.queues[0] }
        var transmit: GuestQueue { driver.queues[1] }

        func send(raw bytes: [UInt8]) throws {
            try peer?.writeAll(bytes)
            driver.work()
        }
        func send(_ frame: [UInt8]) throws {
            try send(raw: withUnsafeBytes(of: UInt32(frame.count).bigEndian, Array.init) + frame)
        }
        /// The bytes that the device sent, as far as they are there.
        func received() throws -> [UInt8] {
            let raw = peer?.rawValue ?? -1
            guard try waitUntilReady(raw, for: .readable, milliseconds: 0) else { return [] }
            return try peer?.read(upTo: 1 << 20) ?? []
        }
        func hangUp() {
            peer = nil
            driver.work()
        }

        /// Puts a buffer into the receive queue and returns where it is.
        @discardableResult
        func offer(_ counts: [Int]) throws -> [UInt64] {
            let addresses = counts.map { driver.page($0) }
            try receive.submit(zip(addresses, counts).map { ($0, $1, true) })
            return addresses
        }

        /// Sends a frame as the guest, with a header before it in a buffer of its own.
        func transmit(
            _ frame: [UInt8], flags: UInt8 = 0, start: UInt16 = 0, offset: UInt16 = 0, segmentation: UInt8 = 0
        ) throws {
            let fields: [UInt16] = [start, offset, 0]
            let tail: [UInt8] = fields.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
            let header: [UInt8] = [flags, segmentation, 0, 0, 0, 0] + tail
            let headerAddress = try driver.buffer(header)
            let frameAddress = try driver.buffer(frame)
            try transmit.submit([(headerAddress, 12, false), (frameAddress, frame.count, false)])
            driver.kick(1)
        }
    }

    private static func frame(_ count: Int, seed: Int = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8 &+ seed) }
    }
    private static func prefixed(_ frame: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(frame.count).bigEndian, Array.init) + frame
    }

    @Test("configuration fields hold the address, the link and the MTU")
    func fields() throws {
        let fixture = try Fixture(mtu: 9000)
        #expect((0..<6).map { UInt8(fixture.driver.field($0, 1)) } == [0x52, 0x54, 0, 1, 2, 3])
        #expect(fixture.driver.field(6, 2) == 1)
        #expect(fixture.driver.field(10, 2) == 9000)
        let offered = fixture.driver.offeredFeatures
        for bit in [0, 1, 3, 5, 15, 16, 29, 32] { #expect(offered & 1 << UInt64(bit) != 0) }
        for bit in [7, 8, 10, 11, 12, 13, 14, 17, 34] { #expect(offered & 1 << UInt64(bit) == 0) }
    }

    @Test("a frame arrives behind a header, in one buffer, with one interrupt")
    func receive() throws {
        let fixture = try Fixture()
        let buffer = try fixture.offer([2048])[0]
        fixture.driver.kick(0)
        let frame = Self.frame(60)
        try fixture.send(frame)
        #expect(try fixture.receive.takeUsed().map(\.written) == [72])
        #expect(try fixture.driver.memory.loadBytes(at: buffer, count: 12) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0])
        #expect(try fixture.driver.memory.loadBytes(at: buffer + 12, count: 60) == frame)
        #expect(fixture.driver.sink.takeFired() == [1])
        #expect(fixture.device.statistics.receivedFrames == 1)
    }

    @Test("a large frame takes as many buffers as it needs, and says how many")
    func merge() throws {
        let fixture = try Fixture()
        let buffers = try (0..<20).map { _ in try fixture.offer([1000, 3096])[0] }
        fixture.driver.kick(0)
        let frame = Self.frame(65534)
        try fixture.send(frame)
        let used = try fixture.receive.takeUsed()
        #expect(used.map(\.written) == [Int](repeating: 4096, count: 16) + [10])
        #expect(try fixture.driver.memory.load(UInt16.self, at: buffers[0] + 10) == 17)
        #expect(try fixture.driver.memory.loadBytes(at: buffers[0] + 12, count: 988) == Array(frame[..<988]))
        #expect(try fixture.driver.memory.loadBytes(at: buffers[16], count: 10) == Array(frame.suffix(10)))
    }

    @Test("a header cut between two buffers is whole")
    func cutHeader() throws {
        let fixture = try Fixture()
        let (first, second) = (fixture.driver.page(11), fixture.driver.page(100))
        try fixture.receive.submit([(first, 11, true), (second, 100, true)])
        fixture.driver.kick(0)
        try fixture.send(Self.frame(20))
        #expect(try fixture.driver.memory.load(UInt8.self, at: first + 10) == 1)
        #expect(try fixture.driver.memory.loadBytes(at: second, count: 21) == [0] + Self.frame(20))
    }

    @Test("frames wait in the socket until there are buffers, none of them is lost, and order is kept")
    func backPressure() throws {
        let fixture = try Fixture()
        for index in 0..<50 { try fixture.send(Self.frame(100, seed: index)) }
        #expect(try fixture.receive.takeUsed().isEmpty)
        var seen: [UInt8] = []
        for _ in 0..<10 {
            let buffers = try (0..<5).map { _ in try fixture.offer([200])[0] }
            fixture.driver.kick(0)
            #expect(try fixture.receive.takeUsed().count == 5)
            for buffer in buffers { seen.append(try fixture.driver.memory.load(UInt8.self, at: buffer + 12)) }
        }
        #expect(seen == (0..<50).map { UInt8($0) })
    }

    @Test("a frame that waits for its last buffer leaves the others as they were")
    func partial() throws {
        let fixture = try Fixture()
        try fixture.offer([100])
        fixture.driver.kick(0)
        try fixture.send(Self.frame(150))
        #expect(try fixture.receive.takeUsed().isEmpty)
        #expect(fixture.driver.sink.takeFired().isEmpty)
        let second = try fixture.offer([100])[0]
        fixture.driver.kick(0)
        #expect(try fixture.receive.takeUsed().map(\.written) == [100, 62])
        #expect(try fixture.driver.memory.loadBytes(at: second, count: 62) == Array(Self.frame(150).suffix(62)))
    }

    @Test("without mergeable buffers a frame that does not fit is dropped, and the next one arrives")
    func tooLarge() throws {
        let fixture = try Fixture(features: ~Self.mergeable)
        try fixture.offer([1526])
        fixture.driver.kick(0)
        try fixture.send(Self.frame(1515))
        try fixture.send(Self.frame(1514))
        #expect(try fixture.receive.takeUsed().map(\.written) == [1526])
        #expect(fixture.device.statistics.droppedFrames == 1)
    }

    @Test("a frame that all buffers of the queue cannot hold is dropped")
    func neverFits() throws {
        let fixture = try Fixture()
        let buffer = fixture.driver.page(16)
        for _ in 0..<1024 { try fixture.receive.submit([(buffer, 16, true)]) }
        fixture.driver.kick(0)
        try fixture.send(Self.frame(65000))
        #expect(try fixture.receive.takeUsed().isEmpty)
        #expect(fixture.device.statistics.droppedFrames == 1)
        try fixture.send(Self.frame(20))
        #expect(try fixture.receive.takeUsed().map(\.written) == [16, 16])
    }

    @Test("receive buffers that are readable, or too small for a header, stop the device", arguments: [false, true])
    func badBuffers(writable: Bool) throws {
        let fixture = try Fixture()
        try fixture.receive.submit([(0x1000, 11, writable)])
        fixture.driver.kick(0)
        try fixture.send(Self.frame(20))
        #expect(fixture.driver.function.signals.stopReasons == [.malformedRequest])
    }

    @Test("frames come in pieces of any size")
    func pieces() throws {
        let fixture = try Fixture()
        for _ in 0..<3 { try fixture.offer([200]) }
        fixture.driver.kick(0)
        let stream = (0..<3).flatMap { Self.prefixed(Self.frame(99, seed: $0)) }
        for byte in stream { try fixture.send(raw: [byte]) }
        #expect(try fixture.receive.takeUsed().map(\.written) == [111, 111, 111])
    }

    @Test(
        "a frame that is too long passes by, in whatever pieces it comes; the next one arrives",
        arguments: [(65553, 1), (69632, 40), (400_000, 1000)])
    func oversized(count: Int, piece: Int) throws {
        let fixture = try Fixture()
        try fixture.offer([200])
        fixture.driver.kick(0)
        let stream = Self.prefixed(Self.frame(count)) + Self.prefixed(Self.frame(99))
        // In pieces that the socket takes at once; the asked-for ones where one frame ends and the next begins.
        for start in stride(from: 0, to: count - 50, by: 30_000) {
            try fixture.send(raw: Array(stream[start..<min(start + 30_000, count - 50)]))
        }
        var rest = stream.dropFirst(count - 50)
        while !rest.isEmpty {
            try fixture.send(raw: Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        #expect(fixture.device.isConnected)
        #expect(try fixture.receive.takeUsed().map(\.written) == [111])
        #expect(fixture.device.statistics.droppedFrames == 1)
    }

    @Test("a frame of the longest kind that the network lets pass arrives")
    func longest() throws {
        let fixture = try Fixture()
        try fixture.offer([70_000])
        fixture.driver.kick(0)
        try fixture.send(Self.frame(EthernetFrame.limit))
        #expect(try fixture.receive.takeUsed().map(\.written) == [EthernetFrame.limit + 12])
    }

    @Test("a length that no frame has ends the connection, not the machine", arguments: [0, 1 << 20, .max] as [UInt32])
    func badLength(length: UInt32) throws {
        let fixture = try Fixture()
        try fixture.offer([200])
        fixture.driver.kick(0)
        _ = fixture.driver.sink.takeFired()
        try fixture.send(raw: withUnsafeBytes(of: length.bigEndian, Array.init))
        #expect(!fixture.device.isConnected)
        #expect(fixture.driver.field(6, 2) == 0)
        #expect(fixture.driver.sink.takeFired() == [0])
        #expect(fixture.driver.status == 15)
    }

    @Test("a peer that hangs up pulls the cable; what is sent afterwards is used and goes nowhere")
    func hangUp() throws {
        let fixture = try Fixture()
        fixture.hangUp()
        #expect(fixture.driver.field(6, 2) == 0)
        try fixture.transmit(Self.frame(60))
        #expect(try fixture.transmit.takeUsed().count == 1)
        #expect(fixture.driver.status == 15)
    }

    @Test("a sent frame leaves behind its length, and its buffers are used")
    func transmit() throws {
        let fixture = try Fixture()
        let frame = Self.frame(1514)
        try fixture.transmit(frame)
        #expect(try fixture.received() == Self.prefixed(frame))
        #expect(try fixture.transmit.takeUsed().map(\.written) == [0])
        #expect(fixture.device.statistics.sentBytes == 1514)
    }

    @Test("a checksum that was left to the device is completed", arguments: [20, 21, 1000, 65000])
    func checksum(count: Int) throws {
        let fixture = try Fixture()
        var frame = Self.frame(34 + count)
        // The field starts with the sum of the pseudo header, here 0x1234.
        frame[34 + 16] = 0x12
        frame[34 + 17] = 0x34
        try fixture.transmit(frame, flags: 1, start: 34, offset: 16)
        let sent = Array(try fixture.received().dropFirst(4))
        #expect(sent.count == frame.count)
        #expect(Array(sent[..<50]) == Array(frame[..<50]))
        #expect(Array(sent[52...]) == Array(frame[52...]))
        // Summing what was summed with the result in the field, less the pseudo header that was there, gives ones.
        let expected = Self.referenceChecksum(Array(frame[34...]))
        #expect(sent[50] == UInt8(expected >> 8))
        #expect(sent[51] == UInt8(expected & 0xff))
    }

    /// RFC 1071, section 4.1, word by word in network order.
    private static func referenceChecksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let low = index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0
            sum += UInt32(bytes[index]) << 8 + low
            if sum > 0xffff { sum = sum & 0xffff + 1 }
        }
        return ~UInt16(sum) == 0 ? 0xffff : ~UInt16(sum)
    }

    @Test(
        "a checksum outside its frame, a frame of a wrong size and segmentation that was not offered are dropped",
        arguments: [
            (60, 1, 59, 0, 0), (60, 1, 34, 25, 0), (60, 1, 0xffff, 0xffff, 0), (13, 0, 0, 0, 0), (65553, 0, 0, 0, 0),
            (60, 0, 0, 0, 1),
        ] as [(Int, UInt8, UInt16, UInt16, UInt8)])
    func badFrames(count: Int, flags: UInt8, start: UInt16, offset: UInt16, segmentation: UInt8) throws {
        let fixture = try Fixture()
        try fixture.transmit(
            Self.frame(count), flags: flags, start: start, offset: offset, segmentation: segmentation)
        #expect(try fixture.received().isEmpty)
        #expect(try fixture.transmit.takeUsed().count == 1)
        #expect(fixture.device.statistics.droppedFrames == 1)
        try fixture.transmit(Self.frame(60))
        #expect(try fixture.received() == Self.prefixed(Self.frame(60)))
    }

    @Test("a frame shorter than its header stops the device")
    func noHeader() throws {
        let fixture = try Fixture()
        try fixture.transmit.submit([(0x1000, 11, false)])
        fixture.driver.kick(1)
        #expect(fixture.driver.function.signals.stopReasons == [.malformedRequest])
    }

    @Test("while the peer does not read, the guest is held up; when it does, every frame arrives whole and in order")
    func held() throws {
        let fixture = try Fixture()
        let frames = (0..<40).map { Self.frame(60_000, seed: $0) }
        for frame in frames { try fixture.transmit(frame) }
        let early = try fixture.transmit.takeUsed().count
        #expect(early < 40)
        var stream: [UInt8] = []
        var used = early
        for _ in 0..<1000 where stream.count < 40 * 60_004 {
            stream += try fixture.received()
            fixture.driver.work()
            used += try fixture.transmit.takeUsed().count
        }
        #expect(used == 40)
        #expect(stream == frames.flatMap(Self.prefixed))
    }

    @Test("many small frames that are sent together leave together")
    func gathered() throws {
        let fixture = try Fixture()
        let header = try fixture.driver.buffer([UInt8](repeating: 0, count: 12))
        let frame = try fixture.driver.buffer(Self.frame(60))
        for _ in 0..<500 { try fixture.transmit.submit([(header, 12, false), (frame, 60, false)]) }
        fixture.driver.kick(1)
        #expect(try fixture.received().count == 500 * 64)
        #expect(try fixture.transmit.takeUsed().count == 500)
    }

    @Test("a reset in the middle of a frame keeps the stream's framing")
    func resetMidFrame() throws {
        let fixture = try Fixture()
        try fixture.offer([200])
        fixture.driver.kick(0)
        let bytes = Self.prefixed(Self.frame(100))
        try fixture.send(raw: Array(bytes[..<50]))
        fixture.driver.start()
        try fixture.offer([200])
        fixture.driver.kick(0)
        try fixture.send(raw: Array(bytes[50...]))
        #expect(try fixture.receive.takeUsed().map(\.written) == [112])
    }

    @Test("a network that comes back is connected to again, with the framing of a new stream")
    func reconnect() throws {
        let first = try UnixSocket.pair()
        let second = try UnixSocket.pair()
        let next = Mutex<CInt>(try second.read.duplicate().release())
        let device = try NetworkDevice(socket: first.read.duplicate(), macAddress: Self.mac) {
            next.withLock { raw in
                defer { raw = -1 }
                return raw >= 0 ? OwnedDescriptor(owning: raw) : nil
            }
        }
        let driver = try GuestDriver(device, byteCount: 32 << 20)
        driver.start()
        let buffer = driver.page(2048)
        try driver.queues[0].submit([(buffer, 2048, true)])
        driver.kick(0)
        // Half a frame, then the end of the old stream.
        try first.write.writeAll(Array(Self.prefixed(Self.frame(100)).prefix(50)))
        shutdown(first.write.rawValue, Int32(SHUT_RDWR))
        driver.work()
        #expect(driver.field(6, 2) == 0)
        for _ in 0..<1000 where !device.isConnected { usleep(10_000) }
        #expect(device.isConnected)
        try second.write.writeAll(Self.prefixed(Self.frame(60)))
        driver.work()
        #expect(try driver.queues[0].takeUsed().map(\.written) == [72])
        let frame = try driver.buffer([UInt8](repeating: 0, count: 12) + Self.frame(70))
        try driver.queues[1].submit([(frame, 82, false)])
        driver.kick(1)
        #expect(try second.write.read(upTo: 1000) == Self.prefixed(Self.frame(70)))
        for _ in 0..<1000 where driver.field(6, 2) == 0 { usleep(10_000) }
        #expect(driver.field(6, 2) == 1)
    }
}
