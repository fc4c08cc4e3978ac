import GuestMemory
import LinuxSystem
import SystemPackage
import TestSupport
import Testing
import Virtio

@Suite struct FileSystemDeviceTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try AtomicFile.write("written by the host", to: folder.path.appending("hello"), permissions: 0o644)
    }

    private func started(tag: String = "share", isReadOnly: Bool = false, queueCount: Int = 2) throws -> GuestDriver {
        let driver = try GuestDriver(
            FileSystemDevice(folder: folder.path, tag: tag, isReadOnly: isReadOnly, queueCount: queueCount))
        driver.start()
        return driver
    }

    private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    /// A request as linux/fuse.h has it.
    static func message(_ opcode: UInt32, node: UInt64 = 1, unique: UInt64 = 7, _ arguments: [UInt8] = []) -> [UInt8] {
        bytes(UInt32(40 + arguments.count)) + bytes(opcode) + bytes(unique) + bytes(node)
            + [UInt8](repeating: 0, count: 16) + arguments
    }
    static let initialize = message(26, bytes(7 as UInt32) + bytes(36 as UInt32) + [UInt8](repeating: 0, count: 56))

    /// Sends one request; returns the reply, cut to what the device says that it wrote.
    private func request(
        _ driver: GuestDriver, _ message: [UInt8], room: Int = 4096, queue: Int = 1
    ) throws -> [UInt8] {
        let source = try driver.buffer(message)
        let target = driver.page(room)
        try driver.queues[queue].submit([(source, message.count, false), (target, room, true)])
        driver.kick(queue)
        let used = try #require(try driver.queues[queue].takeUsed().first)
        #expect(used.written <= room)
        return try driver.memory.loadBytes(at: target, count: used.written)
    }

    private func error(_ reply: [UInt8]) -> Int32 {
        guard reply.count >= 16 else { return .min }
        return reply[4..<8].enumerated().reduce(0) { $0 | Int32($1.element) << Int32(8 * $1.offset) }
    }

    @Test("configuration fields are the tag and the number of queues")
    func fields() throws {
        let tag = "wander-0123456789ab"
        let driver = try started(tag: tag, queueCount: 3)
        let read = (0..<36).map { UInt8(driver.field($0, 1)) }
        #expect(String(decoding: read.prefix { $0 != 0 }, as: UTF8.self) == tag)
        #expect(driver.field(36, 4) == 3)
        #expect(driver.field(40, 4) == 0)
        #expect(driver.common(0x12, 2) == 4)
    }

    @Test("a tag of 36 bytes has no end, a longer one is cut")
    func longTag() throws {
        let driver = try started(tag: String(repeating: "x", count: 40), queueCount: 1)
        #expect((0..<36).allSatisfy { driver.field($0, 1) == 0x78 })
        #expect(driver.field(36, 4) == 1)
    }

    @Test("requests on every queue are answered, and interrupt", arguments: [0, 1, 2])
    func answered(queue: Int) throws {
        let driver = try started()
        let reply = try request(driver, Self.initialize, queue: queue)
        #expect(error(reply) == 0)
        #expect(Array(reply[8..<16]) == Self.bytes(7 as UInt64))
        #expect(Array(reply[16..<20]) == Self.bytes(7 as UInt32))
        // LOOKUP, whose answer begins with a number for the file.
        let found = try request(driver, Self.message(1, Array("hello".utf8) + [0]), queue: queue)
        #expect(error(found) == 0)
        #expect(found[16..<24].contains { $0 != 0 })
        // That there is none is known by the number 0, for a while.
        let missing = try request(driver, Self.message(1, Array("nothing".utf8) + [0]), queue: queue)
        #expect(error(missing) == -2 || missing[16..<24].allSatisfy { $0 == 0 })
        #expect(driver.sink.takeFired() == [queue + 1, queue + 1, queue + 1])
        #expect(driver.function.device.counters == [DeviceCounter("requests", 3)])
    }

    @Test("a request and its reply may be cut into buffers anywhere")
    func layout() throws {
        let driver = try started()
        let message = Self.initialize
        let source = try driver.buffer(message)
        let target = driver.page(4096)
        try driver.queues[1].submit([
            (source, 1, false), (source + 1, 38, false), (source + 39, 2, false),
            (source + 41, message.count - 41, false), (target, 0, true), (target, 3, true), (target + 3, 14, true),
            (target + 17, 1000, true),
        ])
        driver.kick(1)
        let used = try #require(try driver.queues[1].takeUsed().first)
        let reply = try driver.memory.loadBytes(at: target, count: used.written)
        #expect(error(reply) == 0)
        #expect(used.written == 16 + 64)
    }

    @Test("a request without room for an answer, or that is none, is given back and harms nobody")
    func malformed() throws {
        let driver = try started()
        _ = try request(driver, Self.initialize)
        for (count, room) in [(0, 64), (39, 64), (40, 0), (40, 15), (1, 1), (0, 0)] {
            let source = try driver.buffer(Array(Self.message(1).prefix(count)))
            let target = driver.page(room)
            try driver.queues[1].submit([(source, count, false), (target, room, true)])
            driver.kick(1)
            #expect(try driver.queues[1].takeUsed().map(\.written) == [0])
        }
        // A length that is more than there is, or less than a header.
        for length in [0, 39, 4096, .max] as [UInt32] {
            let reply = try request(driver, Self.bytes(length) + Self.message(1, [0x61, 0]).dropFirst(4))
            #expect(error(reply) == -22)
        }
        #expect(error(try request(driver, Self.message(1, Array("hello".utf8) + [0]))) == 0)
        #expect(!driver.function.signals.isStopped)
    }

    @Test("a chain that breaks the queue's rules stops the device until its reset")
    func brokenChain() throws {
        let driver = try started()
        _ = try request(driver, Self.initialize)
        try driver.queues[1].submit([(driver.memory.byteCount - 8, 64, false)])
        driver.kick(1)
        #expect(driver.function.signals.isStopped)
        driver.forgetMemory()
        driver.start()
        #expect(error(try request(driver, Self.initialize)) == 0)
    }

    @Test("a reset forgets the session: nothing is served before the guest begins anew")
    func reset() throws {
        let driver = try started()
        _ = try request(driver, Self.initialize)
        #expect(error(try request(driver, Self.message(1, Array("hello".utf8) + [0]))) == 0)
        driver.forgetMemory()
        driver.start()
        #expect(error(try request(driver, Self.message(1, Array("hello".utf8) + [0]))) != 0)
        #expect(error(try request(driver, Self.initialize)) == 0)
        #expect(error(try request(driver, Self.message(1, Array("hello".utf8) + [0]))) == 0)
    }

    @Test("a queue that is taken away is served on where it was, and what the guest has open stays")
    func separate() throws {
        let device = try FileSystemDevice(folder: folder.path, tag: "t", isReadOnly: false, queueCount: 1)
        let driver = try GuestDriver(device)
        driver.start()
        _ = try request(driver, Self.initialize)
        _ = try request(driver, Self.message(3, [UInt8](repeating: 0, count: 16)))
        #expect(device.detach(queue: 1) == 2)
        #expect(device.detach(queue: 1) == nil)
        #expect(device.detach(queue: 9) == nil)
        #expect(device.serve(queue: 1) == .done)
    }

    @Test("a folder that is missing or is none is an error that names it")
    func missing() throws {
        for name in ["nothing", "hello"] {
            let path = folder.path.appending(name)
            #expect(throws: SystemError.self) {
                try FileSystemDevice(folder: path, tag: "t", isReadOnly: false, queueCount: 1)
            }
        }
    }

    @Test("whatever a guest sends, the device goes on")
    func fuzz() throws {
        let driver = try started()
        var random = SeededGenerator(seed: 26)
        for round in 0..<3000 {
            _ = try request(driver, Self.initialize)
            var message = Self.message(
                UInt32(random.next(below: 56)), node: random.next(below: 4), unique: random.next())
            message += (0..<random.next(below: 96)).map { _ in UInt8(truncatingIfNeeded: random.next(below: 3)) }
            if random.next(below: 4) > 0 { message.replaceSubrange(0..<4, with: Self.bytes(UInt32(message.count))) }
            _ = try request(driver, message, room: Int(random.next(below: 300)), queue: Int(random.next(below: 3)))
            if round % 50 == 49 {
                driver.forgetMemory()
                driver.start()
            }
        }
        #expect(!driver.function.signals.isStopped)
        #expect(error(try request(driver, Self.initialize)) == 0)
    }
}
