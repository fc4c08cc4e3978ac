import CLinux
import Glibc
import GuestMemory
import LinuxSystem
import Synchronization
import SystemPackage
import VhostUser
import Virtio

/// A monitor's side of vhost-user, with a guest's driver in it. Numbers are written down here from the specification,
/// not taken from the code under test.
final class FrontEnd {
    static let userBase: UInt64 = 0x7f00_0000_0000
    static let queueSize: UInt16 = 8

    let socket: OwnedDescriptor
    let file: OwnedDescriptor
    let memory: GuestMemory
    let device = EchoDevice()
    private let thread: Thread
    private let outcome = Outcome()
    private var indexes: [Int: (available: UInt16, used: UInt16)] = [:]
    private var nextBuffer: UInt64 = 0x40000

    final class Outcome: Sendable {
        let error = Mutex<VhostUserError?>(nil)
        let lines = Mutex<[String]>([])
        let ended = Atomic<Bool>(false)
    }

    init(byteCount: Int = 1 << 20, lowLimit: UInt64 = 4 << 30) throws {
        file = try Self.memoryFile(byteCount)
        memory = try GuestMemory(mapping: try MemoryMapping.shared(file, count: byteCount), lowLimit: lowLimit)
        let pair = try UnixSocket.pair()
        socket = try pair.read.duplicate()
        let other = try pair.write.duplicate().release()
        thread = try Thread(name: "back-end") { [device, outcome] in
            do throws(VhostUserError) {
                guard
                    let backEnd = try? BackEnd(
                        device, socket: OwnedDescriptor(owning: other),
                        report: { line in outcome.lines.withLock { $0.append(line) } })
                else { return }
                try? backEnd.start()
                try backEnd.run()
            } catch { outcome.error.withLock { $0 = error } }
            outcome.ended.store(true, ordering: .releasing)
        }
    }

    /// A file as QEMU makes it for a guest's memory.
    static func memoryFile(_ byteCount: Int, sealed: Bool = true) throws -> OwnedDescriptor {
        let raw = linux_memfd_create("guest", 2)  // MFD_ALLOW_SEALING
        let file = OwnedDescriptor(owning: CInt(raw))
        try file.truncate(to: Int64(byteCount))
        if sealed {
            _ = linux_fcntl(file.rawValue, CInt(linux_add_seals), Int(linux_seal_shrink | linux_seal_grow))
        }
        return file
    }

    /// Closes the connection and waits for the back-end.
    /// - Returns: Why it gave up; nil if it ended as it should.
    func finish() -> VhostUserError? {
        _ = shutdown(socket.rawValue, CInt(SHUT_RDWR))
        return waitForEnd()
    }

    func waitForEnd() -> VhostUserError? {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        while !outcome.ended.load(ordering: .acquiring), MonotonicClock.now < deadline { usleep(1000) }
        guard outcome.ended.load(ordering: .acquiring) else { return .malformed(request: 0, "it hangs") }
        return outcome.error.withLock { $0 }
    }

    var lines: [String] { outcome.lines.withLock { $0 } }

    // MARK: Messages

    static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }

    func send(
        _ request: UInt32, _ payload: [UInt8] = [], descriptors: [CInt] = [], flags: UInt32 = 1, size: UInt32? = nil
    ) throws {
        let message =
            Self.bytes(request) + Self.bytes(flags) + Self.bytes(size ?? UInt32(payload.count)) + payload
        let sent = linux_send_descriptors(socket.rawValue, message, message.count, descriptors, descriptors.count)
        guard sent == message.count else { throw SystemError("send", nil, Errno(rawValue: CInt(-sent))) }
    }

    /// The payload of the reply to a request.
    func receive(_ request: UInt32) throws -> [UInt8] {
        guard try waitUntilReady(socket.rawValue, for: .readable, milliseconds: 10_000) else {
            throw SystemError("receive", nil, .timedOut)
        }
        let header = try socket.read(upTo: 12)
        guard header.count == 12, header[0] == UInt8(request), header[4] == 5 else {
            throw SystemError("receive", nil, .badMessage)
        }
        return header[8] == 0 ? [] : try socket.read(upTo: Int(header[8]))
    }

    func ask(_ request: UInt32, _ payload: [UInt8] = []) throws -> UInt64 {
        try send(request, payload)
        return try receive(request).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }

    static func region(_ guest: UInt64, _ count: UInt64, _ user: UInt64, _ offset: UInt64) -> [UInt8] {
        bytes(guest) + bytes(count) + bytes(user) + bytes(offset)
    }

    static func table(_ regions: [[UInt8]]) -> [UInt8] {
        bytes(UInt32(regions.count)) + bytes(0 as UInt32) + regions.flatMap { $0 }
    }

    func setMemory(flags: UInt32 = 1) throws {
        try send(
            5, Self.table([Self.region(0, memory.byteCount, Self.userBase, 0)]), descriptors: [file.rawValue],
            flags: flags)
    }

    /// As QEMU starts a device: features, memory.
    func negotiate(features: UInt64 = 1 << 32 | 1 << 30) throws {
        try send(3)
        try send(16, Self.bytes(0 as UInt64))
        try send(2, Self.bytes(features))
        try setMemory()
    }

    // MARK: Queues

    func descriptors(_ queue: Int) -> UInt64 { 0x1000 + 0x4000 * UInt64(queue) }
    func available(_ queue: Int) -> UInt64 { descriptors(queue) + 0x1000 }
    func used(_ queue: Int) -> UInt64 { descriptors(queue) + 0x2000 }

    /// Tells the back-end of a queue and enables it.
    func startQueue(
        _ queue: Int, base: UInt16 = 0, kick: borrowing EventDescriptor, call: borrowing EventDescriptor
    ) throws {
        let index = UInt32(queue)
        try send(8, Self.bytes(index) + Self.bytes(UInt32(Self.queueSize)))
        try send(10, Self.bytes(index) + Self.bytes(UInt32(base)))
        try send(
            9,
            Self.bytes(index) + Self.bytes(0 as UInt32) + Self.bytes(Self.userBase + descriptors(queue))
                + Self.bytes(Self.userBase + used(queue)) + Self.bytes(Self.userBase + available(queue))
                + Self.bytes(0 as UInt64))
        try send(13, Self.bytes(UInt64(queue)), descriptors: [call.descriptor.rawValue])
        try send(12, Self.bytes(UInt64(queue)), descriptors: [kick.descriptor.rawValue])
        try send(18, Self.bytes(index) + Self.bytes(1 as UInt32))
    }

    /// Makes a chain available: `text` to read, and as much room to write.
    /// - Returns: Where the room is.
    func offer(_ text: String, queue: Int = 0, at buffer: UInt64? = nil) throws -> UInt64 {
        let bytes = Array(text.utf8)
        let source = buffer ?? nextBuffer
        if buffer == nil { nextBuffer += 0x2000 }
        let target = source + 0x1000
        try memory.store(bytes: bytes, at: source)
        var (next, last) = indexes[queue] ?? (0, 0)
        let slot = 2 * (next % (Self.queueSize / 2))
        for (position, address) in [source, target].enumerated() {
            let entry = descriptors(queue) + 16 * UInt64(slot) + 16 * UInt64(position)
            try memory.store(address, at: entry)
            try memory.store(UInt32(bytes.count), at: entry + 8)
            try memory.store(position == 0 ? 1 : 2 as UInt16, at: entry + 12)
            try memory.store(slot + 1, at: entry + 14)
        }
        try memory.store(slot, at: available(queue) + 4 + 2 * UInt64(next % Self.queueSize))
        next &+= 1
        try memory.storeReleasing16(next, at: available(queue) + 2)
        last = last &+ 0
        indexes[queue] = (next, last)
        return target
    }

    /// Waits until the device has used one chain more.
    /// - Returns: Whether it did.
    func waitUsed(queue: Int = 0) throws -> Bool {
        var (next, last) = indexes[queue] ?? (0, 0)
        last &+= 1
        indexes[queue] = (next, last)
        next = last
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        while MonotonicClock.now < deadline {
            if try memory.loadAcquiring16(at: used(queue) + 2) == next { return true }
            usleep(500)
        }
        return false
    }

    func text(at address: UInt64, count: Int) throws -> String {
        String(decoding: try memory.loadBytes(at: address, count: count), as: UTF8.self)
    }
}
