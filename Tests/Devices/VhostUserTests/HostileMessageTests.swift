import LinuxSystem
import TestSupport
import Testing
import VhostUser

@Suite struct HostileMessageTests {
    /// A message, and how many times the memory's descriptor goes with it.
    struct Hostile: Sendable, CustomTestStringConvertible {
        var name: String
        var request: UInt32
        var payload: [UInt8] = []
        var descriptorCount = 0
        var flags: UInt32 = 1
        var size: UInt32?
        var testDescription: String { name }
    }

    private static func word(_ value: UInt64) -> [UInt8] { FrontEnd.bytes(value) }
    private static func pair(_ first: UInt32, _ second: UInt32) -> [UInt8] {
        FrontEnd.bytes(first) + FrontEnd.bytes(second)
    }
    private static func memory(_ regions: [[UInt8]], _ name: String, descriptors: Int? = nil) -> Hostile {
        Hostile(name: name, request: 5, payload: FrontEnd.table(regions), descriptorCount: descriptors ?? regions.count)
    }
    private static let user = FrontEnd.userBase
    private static let all = FrontEnd.region(0, 1 << 20, user, 0)

    static let messages: [Hostile] = [
        Hostile(name: "another version", request: 1, flags: 2),
        Hostile(name: "a reply", request: 1, flags: 5),
        Hostile(name: "no request", request: 0),
        Hostile(name: "a request of a feature that is not offered", request: 24, payload: word(0)),
        Hostile(name: "a request beyond all", request: .max),
        Hostile(name: "a payload where none belongs", request: 1, payload: word(0)),
        Hostile(name: "no payload", request: 2),
        Hostile(name: "a payload of 4 GiB", request: 5, size: .max),
        Hostile(name: "a short table", request: 5, payload: word(0), descriptorCount: 1),
        Hostile(name: "a descriptor where none belongs", request: 1, descriptorCount: 1),
        Hostile(name: "two kicks", request: 12, payload: word(0), descriptorCount: 2),
        Hostile(
            name: "more descriptors than regions can be", request: 5, payload: FrontEnd.table([all]), descriptorCount: 9
        ),
        Hostile(
            name: "more descriptors than anything has", request: 5, payload: FrontEnd.table([all]), descriptorCount: 16),
        Hostile(name: "features that were not offered", request: 2, payload: word(1 << 34)),
        Hostile(name: "protocol features that were not offered", request: 16, payload: word(1 << 9)),
        memory([all], "memory without a descriptor", descriptors: 0),
        memory([all], "memory with too many descriptors", descriptors: 2),
        memory([all, all], "memory with too few descriptors", descriptors: 1),
        Hostile(
            name: "a count of regions that does not fit", request: 5,
            payload: pair(2, 0) + all, descriptorCount: 2),
        Hostile(name: "2^32 - 1 regions", request: 5, payload: pair(.max, 0) + all, descriptorCount: 1),
        memory([FrontEnd.region(0, 0, user, 0)], "an empty region"),
        memory([FrontEnd.region(0, 2 << 20, user, 0)], "a region behind the file's end"),
        memory([FrontEnd.region(0, .max, user, 0)], "a region that overflows"),
        memory([FrontEnd.region(.max - 4095, 8192, user, 0)], "a guest address that overflows"),
        memory([FrontEnd.region(0, 1 << 20, .max - 4095, 0)], "a user address that overflows"),
        memory([FrontEnd.region(0, 4096, user, .max - 100)], "an offset that overflows"),
        memory([FrontEnd.region(4096, 4096, user, 0)], "low memory elsewhere in the file"),
        memory([FrontEnd.region((4 << 30) - 4096, 8192, user, 0)], "a region across 4 GiB"),
        memory([FrontEnd.region(4 << 30, 4096, user, 0)], "high memory at the file's start"),
        memory([FrontEnd.region(4 << 30, 4096, user, 100)], "high memory within a page"),
        memory(
            [FrontEnd.region(4 << 30, 4096, user, 4096), FrontEnd.region((4 << 30) + 4096, 4096, user, 4096)],
            "high memory in two places"),
        memory(
            [FrontEnd.region(0, 8192, user, 0), FrontEnd.region(4 << 30, 4096, user + (1 << 30), 4096)],
            "low and high memory that overlap"),
        Hostile(name: "the size of a queue that there is not", request: 8, payload: pair(2, 8)),
        Hostile(name: "the size of the last queue of all", request: 8, payload: pair(.max, 8)),
        Hostile(name: "a queue of no entries", request: 8, payload: pair(0, 0)),
        Hostile(name: "a queue of seven entries", request: 8, payload: pair(0, 7)),
        Hostile(name: "a queue of 65536 entries", request: 8, payload: pair(0, 65_536)),
        Hostile(name: "a base of 65536", request: 10, payload: pair(0, 65_536)),
        Hostile(name: "the base of a queue that there is not", request: 11, payload: pair(9, 0)),
        Hostile(
            name: "the address of a queue that there is not", request: 9,
            payload: pair(2, 0) + [UInt8](repeating: 0, count: 32)),
        Hostile(name: "a kick for a queue that there is not", request: 12, payload: word(2), descriptorCount: 1),
        Hostile(name: "a kick without a descriptor", request: 12, payload: word(0)),
        Hostile(name: "a queue to be polled", request: 12, payload: word(0x100)),
        Hostile(name: "no call, with a descriptor", request: 13, payload: word(0x100), descriptorCount: 1),
        Hostile(name: "neither on nor off", request: 18, payload: pair(0, 2)),
    ]

    @Test("a message that no front-end sends ends the connection", arguments: messages)
    func refused(message: Hostile) throws {
        let front = try FrontEnd()
        try front.negotiate()
        #expect(try front.ask(17) == 2)
        try front.send(
            message.request, message.payload,
            descriptors: Array(repeating: front.file.rawValue, count: message.descriptorCount), flags: message.flags,
            size: message.size)
        #expect(front.waitForEnd() != nil)
    }

    @Test("memory is one file that cannot become shorter")
    func files() throws {
        let loose = try FrontEnd.memoryFile(1 << 20, sealed: false)
        let other = try FrontEnd.memoryFile(1 << 20)
        let odd = try FrontEnd.memoryFile((1 << 20) + 17)
        let regions = [FrontEnd.region(0, 4096, Self.user, 0), FrontEnd.region(4096, 4096, Self.user + 4096, 4096)]
        for (first, second) in [
            (loose.rawValue, loose.rawValue), (other.rawValue, loose.rawValue), (odd.rawValue, odd.rawValue),
        ] {
            let front = try FrontEnd()
            try front.send(5, FrontEnd.table(regions), descriptors: [first, second])
            guard case .unusableMemory = front.waitForEnd() else {
                Issue.record("the memory was taken")
                return
            }
        }
        let front = try FrontEnd()
        try front.send(5, FrontEnd.table(regions), descriptors: [front.file.rawValue, other.rawValue])
        #expect(front.waitForEnd() == .unusableMemory("it is more than one file"))
    }

    @Test("who asks for it hears whether a message was carried out")
    func acknowledged() throws {
        let front = try FrontEnd()
        try front.send(16, FrontEnd.bytes(1 << 3 as UInt64))
        try front.setMemory(flags: 9)
        #expect(try front.receive(5) == FrontEnd.bytes(0 as UInt64))
        try front.send(8, Self.pair(0, 7), flags: 9)
        #expect(try front.receive(8) == FrontEnd.bytes(1 as UInt64))
        #expect(front.waitForEnd() != nil)
    }

    @Test("a connection that ends inside a message is told from one that ends", arguments: [0, 1, 11, 12, 15])
    func cutOff(count: Int) throws {
        let front = try FrontEnd()
        let message = FrontEnd.bytes(2 as UInt32) + FrontEnd.bytes(1 as UInt32) + FrontEnd.bytes(8 as UInt32)
        try front.socket.writeAll(Array((message + FrontEnd.bytes(0 as UInt64)).prefix(count)))
        #expect(front.finish() == (count == 0 ? nil : .cutOff))
    }

    @Test("whatever arrives, the back-end ends without harm")
    func fuzz() throws {
        var random = SeededGenerator(seed: 31)
        for _ in 0..<300 {
            let front = try FrontEnd()
            let event = try EventDescriptor()
            if Bool.random(using: &random) { try front.negotiate() }
            for _ in 0..<12 {
                let request = UInt32.random(in: 0...20, using: &random)
                let count = [0, 8, 8, 8, 40, 72].randomElement(using: &random) ?? 8
                var payload = (0..<count).map { _ in
                    Bool.random(using: &random) ? 0 : UInt8.random(in: 0...9, using: &random)
                }
                // Mostly a queue that there is.
                if count > 0, Int.random(in: 0..<4, using: &random) > 0 {
                    payload[0] = UInt8.random(in: 0...1, using: &random)
                }
                let descriptor = Bool.random(using: &random) ? front.file.rawValue : event.descriptor.rawValue
                let descriptors = Array(repeating: descriptor, count: Int.random(in: 0...2, using: &random))
                guard (try? front.send(request, payload, descriptors: descriptors)) != nil else { break }
            }
            if case .malformed(0, "it hangs") = front.finish() { Issue.record("the back-end hangs") }
        }
    }
}
