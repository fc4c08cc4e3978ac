import GuestMemory
import LinuxSystem
import Synchronization
import Testing
import VhostUser

@Suite struct BackEndTests {
    @Test("says what it can do")
    func features() throws {
        let front = try FrontEnd()
        let offered = try front.ask(1)
        for bit in [29, 30, 32] { #expect(offered & 1 << UInt64(bit) != 0) }
        #expect(try front.ask(15) == 1 << 0 | 1 << 3)
        #expect(try front.ask(17) == 2)
        #expect(front.finish() == nil)
    }

    @Test("serves every queue, and interrupts when the guest wants that")
    func serves() throws {
        let front = try FrontEnd()
        try front.negotiate()
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        let kick1 = try EventDescriptor()
        let call1 = try EventDescriptor()
        try front.startQueue(0, kick: kick, call: call)
        try front.startQueue(1, kick: kick1, call: call1)
        for word in ["one", "two", "three", "four", "five"] {
            let room = try front.offer(word)
            kick.signal()
            #expect(try front.waitUsed())
            #expect(try front.text(at: room, count: word.count) == word.uppercased())
        }
        #expect(try waitUntilReady(call.descriptor.rawValue, for: .readable, milliseconds: 5000))
        let room = try front.offer("other", queue: 1)
        kick1.signal()
        #expect(try front.waitUsed(queue: 1))
        #expect(try front.text(at: room, count: 5) == "OTHER")
        #expect(try waitUntilReady(call1.descriptor.rawValue, for: .readable, milliseconds: 5000))
        #expect(front.device.starts.load(ordering: .relaxed) == 1)
        #expect(front.finish() == nil)
        #expect(front.lines.isEmpty)
    }

    @Test("what was there before the first kick is served, too")
    func early() throws {
        let front = try FrontEnd()
        try front.negotiate()
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        let room = try front.offer("early")
        try front.startQueue(0, kick: kick, call: call)
        #expect(try front.waitUsed())
        #expect(try front.text(at: room, count: 5) == "EARLY")
        #expect(front.finish() == nil)
    }

    @Test("a queue that was stopped goes on where it was, with another kick")
    func suspend() throws {
        let front = try FrontEnd()
        try front.negotiate()
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        try front.startQueue(0, kick: kick, call: call)
        for _ in 0..<3 {
            _ = try front.offer("word")
            kick.signal()
            #expect(try front.waitUsed())
        }
        #expect(try front.ask(11, FrontEnd.bytes(0 as UInt64)) == 3 << 32)
        // While it is stopped, nothing is served.
        let room = try front.offer("later")
        kick.signal()
        #expect(try front.ask(17) == 2)
        #expect(try front.memory.load(UInt16.self, at: front.used(0) + 2) == 3)
        let other = try EventDescriptor()
        try front.startQueue(0, base: 3, kick: other, call: call)
        #expect(try front.waitUsed())
        #expect(try front.text(at: room, count: 5) == "LATER")
        _ = try front.offer("more")
        other.signal()
        #expect(try front.waitUsed())
        #expect(front.device.starts.load(ordering: .relaxed) == 2)
        #expect(front.finish() == nil)
    }

    @Test("memory may go on at 4 GiB, wherever the lower part ends")
    func highMemory() throws {
        let low: UInt64 = 512 << 10
        let front = try FrontEnd(lowLimit: low)
        try front.send(2, FrontEnd.bytes(1 << 32 | 1 << 30 as UInt64))
        let regions = [
            FrontEnd.region(0, 0xa0000 - 0x60000, FrontEnd.userBase, 0),
            FrontEnd.region(0x60000, low - 0x60000, FrontEnd.userBase + 0x60000, 0x60000),
            FrontEnd.region(4 << 30, (1 << 20) - low, FrontEnd.userBase + 0x1000_0000, low),
        ]
        try front.send(
            5, FrontEnd.table(regions), descriptors: [front.file.rawValue, front.file.rawValue, front.file.rawValue])
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        try front.startQueue(0, kick: kick, call: call)
        let room = try front.offer("high", at: 4 << 30)
        kick.signal()
        #expect(try front.waitUsed())
        #expect(try front.text(at: room, count: 4) == "HIGH")
        #expect(front.finish() == nil)
    }

    @Test("the same memory may be told again while queues are in use, other memory may not")
    func memoryAgain() throws {
        let front = try FrontEnd()
        try front.negotiate()
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        try front.startQueue(0, kick: kick, call: call)
        try front.setMemory()
        _ = try front.offer("again")
        kick.signal()
        #expect(try front.waitUsed())
        let other = try FrontEnd.memoryFile(2 << 20)
        try front.send(
            5, FrontEnd.table([FrontEnd.region(0, 2 << 20, FrontEnd.userBase, 0)]), descriptors: [other.rawValue])
        guard case .malformed(5, _) = front.waitForEnd() else {
            Issue.record("other memory was taken")
            return
        }
    }

    @Test("a guest that breaks the rules is reported once, and served again after a reset")
    func brokenDriver() throws {
        let front = try FrontEnd()
        try front.negotiate()
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        try front.startQueue(0, kick: kick, call: call)
        try front.memory.storeReleasing16(1000, at: front.available(0) + 2)
        for _ in 0..<20 {
            kick.signal()
            _ = try front.ask(17)
        }
        // The queue has a thread of its own, which may get its turn late.
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 30_000)
        while front.lines.isEmpty, MonotonicClock.now < deadline { MonotonicClock.sleep(milliseconds: 5) }
        _ = try front.ask(11, FrontEnd.bytes(0 as UInt64))
        try front.memory.storeReleasing16(0, at: front.available(0) + 2)
        let other = try EventDescriptor()
        try front.startQueue(0, kick: other, call: call)
        _ = try front.offer("well")
        other.signal()
        #expect(try front.waitUsed())
        #expect(front.lines.count == 1)
        #expect(front.finish() == nil)
    }

    @Test(
        "rings outside memory are not served; the connection goes on", arguments: [0, 1, 2],
        [0x20_0000, 0xf_fff0, 0x801])
    func ringOutside(part: Int, offset: UInt64) throws {
        let front = try FrontEnd()
        try front.negotiate()
        let kick = try EventDescriptor()
        let call = try EventDescriptor()
        try front.send(8, FrontEnd.bytes(0 as UInt32) + FrontEnd.bytes(8 as UInt32))
        let addresses = (0..<3).map { FrontEnd.userBase + ($0 == part ? offset : 0x1000 * UInt64($0 + 1)) }
        try front.send(
            9, FrontEnd.bytes(0 as UInt64) + addresses.flatMap { FrontEnd.bytes($0) } + FrontEnd.bytes(0 as UInt64))
        try front.send(13, FrontEnd.bytes(0 as UInt64), descriptors: [call.descriptor.rawValue])
        try front.send(12, FrontEnd.bytes(0 as UInt64), descriptors: [kick.descriptor.rawValue])
        try front.send(18, FrontEnd.bytes(0 as UInt32) + FrontEnd.bytes(1 as UInt32))
        kick.signal()
        #expect(try front.ask(17) == 2)
        #expect(front.lines.count == 1)
        #expect(front.finish() == nil)
    }
}
