import GuestMemory
import LinuxSystem
import SystemPackage
import Testing
import Virtio

@Suite struct ConsoleDeviceTests {
    private final class Fixture {
        let driver: GuestDriver
        let device: ConsoleDevice
        private var peer: OwnedDescriptor?

        init() throws {
            let pair = try UnixSocket.pair()
            device = try ConsoleDevice(socket: pair.read.duplicate())
            driver = try GuestDriver(device)
            peer = try pair.write.duplicate()
            driver.start()
        }
        func type(_ text: String) throws {
            try peer?.writeAll(text)
            driver.work()
        }
        func printed() throws -> [UInt8] {
            guard try waitUntilReady(peer?.rawValue ?? -1, for: .readable, milliseconds: 0) else { return [] }
            return try peer?.read(upTo: 1 << 20) ?? []
        }
        func hangUp() {
            peer = nil
            driver.work()
        }
        func print(_ bytes: [UInt8]) throws {
            let address = try driver.buffer(bytes)
            try driver.queues[1].submit([(address, 1, false), (address + 1, bytes.count - 1, false)])
            driver.kick(1)
        }
    }

    @Test("what the guest prints comes out, what is typed goes in")
    func both() throws {
        let fixture = try Fixture()
        try fixture.print(Array("hello\n".utf8))
        #expect(try fixture.printed() == Array("hello\n".utf8))
        #expect(try fixture.driver.queues[1].takeUsed().map(\.written) == [0])
        let buffer = fixture.driver.page(64)
        try fixture.driver.queues[0].submit([(buffer, 64, true)])
        fixture.driver.kick(0)
        try fixture.type("ls\n")
        #expect(try fixture.driver.queues[0].takeUsed().map(\.written) == [3])
        #expect(try fixture.driver.memory.loadBytes(at: buffer, count: 3) == Array("ls\n".utf8))
    }

    @Test("typed text waits until the guest has room, and loses nothing")
    func typing() throws {
        let fixture = try Fixture()
        try fixture.type("abcdef")
        var text: [UInt8] = []
        for _ in 0..<3 {
            let buffer = fixture.driver.page(2)
            try fixture.driver.queues[0].submit([(buffer, 2, true)])
            fixture.driver.kick(0)
            #expect(try fixture.driver.queues[0].takeUsed().map(\.written) == [2])
            text += try fixture.driver.memory.loadBytes(at: buffer, count: 2)
        }
        #expect(text == Array("abcdef".utf8))
    }

    @Test("a reader that stands still holds the guest up; nothing is lost or doubled")
    func held() throws {
        let fixture = try Fixture()
        let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 / 3) }
        try fixture.print(bytes)
        #expect(try fixture.driver.queues[1].takeUsed().isEmpty)
        var seen: [UInt8] = []
        for _ in 0..<1000 where seen.count < bytes.count {
            seen += try fixture.printed()
            fixture.driver.work()
        }
        #expect(seen == bytes)
        #expect(try fixture.driver.queues[1].takeUsed().count == 1)
    }

    @Test("a reset while text is held up drops it")
    func reset() throws {
        let fixture = try Fixture()
        try fixture.print([UInt8](repeating: 1, count: 1 << 20))
        fixture.driver.start()
        while try !fixture.printed().isEmpty { fixture.driver.work() }
        try fixture.print(Array("new".utf8))
        #expect(try fixture.printed() == Array("new".utf8))
    }

    @Test("after the peer hung up, text goes nowhere and the guest goes on")
    func hangUp() throws {
        let fixture = try Fixture()
        fixture.hangUp()
        try fixture.print(Array("lost".utf8))
        #expect(try fixture.driver.queues[1].takeUsed().count == 1)
        #expect(fixture.driver.status == 15)
    }

    @Test("the size of the terminal reaches the guest with an interrupt")
    func size() throws {
        let fixture = try Fixture()
        fixture.device.resize(columns: 132, rows: 43)
        #expect(fixture.driver.field(0, 4) == 43 << 16 | 132)
        #expect(fixture.driver.sink.takeFired() == [0])
    }

    @Test("input buffers that are readable or empty stop the device", arguments: [(4, false), (0, true)])
    func badBuffers(count: Int, writable: Bool) throws {
        let fixture = try Fixture()
        try fixture.driver.queues[0].submit([(0x1000, count, writable)])
        try fixture.type("x")
        fixture.driver.kick(0)
        #expect(fixture.driver.function.signals.stopReasons == [.malformedRequest])
    }
}
