import GuestMemory
import LinuxSystem
import NetworkAddress
import PCI
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Virtio

/// Drivers that do anything at all. Whatever they do, the device neither traps nor spins, and a reset makes it whole.
///
/// Bounded here: 40 cases a device. `WANDER_FUZZ_SECONDS` gives each device that much time instead, and
/// `WANDER_FUZZ_SEED` sets the first seed; a failure names its own.
@Suite struct FuzzTests {
    static let caseLimit: UInt64 = 40
    static let seconds = environmentVariable("WANDER_FUZZ_SECONDS").flatMap { Int64($0) }
    static let firstSeed = environmentVariable("WANDER_FUZZ_SEED").flatMap { UInt64($0) } ?? 1

    /// Runs `body` with one seed after the other.
    private func forEachSeed(limit: UInt64, _ body: (UInt64) throws -> Void) rethrows {
        let end = Self.seconds.map { MonotonicClock.now.advanced(byMilliseconds: $0 * 1000) }
        var seed = Self.firstSeed
        while end.map({ MonotonicClock.now < $0 }) ?? (seed &- Self.firstSeed < limit) {
            try body(seed)
            seed &+= 1
        }
    }

    @Test("arbitrary drivers", arguments: FuzzTarget.allCases)
    func arbitrary(target: FuzzTarget) throws {
        try forEachSeed(limit: Self.caseLimit) { seed in
            let run = try FuzzRun(target, seed: seed)
            for _ in 0..<60 { try run.step() }
            try run.expectRecovery()
        }
    }

    @Test(
        "a driver that resets, moves and rewrites everything while the device's threads work",
        arguments: FuzzTarget.allCases)
    func concurrent(target: FuzzTarget) throws {
        try forEachSeed(limit: 2) { seed in
            let run = try FuzzRun(target, seed: seed)
            let function = run.driver.function
            let flag = StopFlag()
            // Hands every source to the device, ready or not, over and over.
            let thread = try Thread(name: "device") {
                while !flag.isSet {
                    for index in function.sources.indices { function.handle(source: index) }
                }
            }
            let result = Result { for _ in 0..<400 { try run.step(works: false) } }
            flag.set()
            thread.join()
            try result.get()
            try run.expectRecovery()
        }
    }

    private final class StopFlag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }
}

enum FuzzTarget: String, CaseIterable, Sendable {
    case block, entropy, network, balloon, console
}

/// One seeded driver and its device.
final class FuzzRun {
    let driver: GuestDriver
    private let seed: UInt64
    private let target: FuzzTarget
    private var random: SeededGenerator
    private var peer: OwnedDescriptor?
    private let address: (low: UInt32, high: UInt32)

    init(_ target: FuzzTarget, seed: UInt64) throws {
        self.seed = seed
        self.target = target
        random = SeededGenerator(seed: seed)
        let memory = try GuestMemory(byteCount: 1 << 20)
        let device: any VirtioDevice
        switch target {
        case .block:
            device = BlockDevice(MemoryStorage([UInt8](repeating: 1, count: 64 << 10)), identifier: "f", queueCount: 2)
        case .entropy: device = EntropyDevice()
        case .balloon: device = BalloonDevice(memory: memory)
        case .network, .console:
            let pair = try UnixSocket.pair()
            let end = try pair.write.duplicate()
            try end.setNonBlocking()
            peer = consume end
            let socket = try pair.read.duplicate()
            device =
                target == .network
                ? try NetworkDevice(socket: socket, macAddress: MACAddress(rawValue: 0x0200_0000_0001))
                : try ConsoleDevice(socket: socket)
        }
        driver = try GuestDriver(device, memory: memory)
        address = (driver.configuration(0x10, 4), driver.configuration(0x14, 4))
        driver.start(features())
    }

    private func features() -> UInt64 { chance(70) ? .max : random.next() | 1 << 32 }
    private func chance(_ percent: UInt64) -> Bool { random.next(below: 100) < percent }
    private func number(_ limit: UInt64) -> UInt64 { random.next(below: limit) }

    /// An address in or near RAM, or anywhere.
    private func anyAddress() -> UInt64 {
        switch number(10) {
        case 0: random.next()
        case 1: (1 << 20) - number(64)
        case 2: driver.queues.isEmpty ? 0 : driver.queues[0].used + number(64)
        default: number(1 << 20)
        }
    }
    private func anyCount() -> UInt32 {
        switch number(8) {
        case 0: UInt32(truncatingIfNeeded: random.next())
        case 1: 0
        case 2: UInt32(number(1 << 20))
        default: UInt32([1, 4, 8, 10, 12, 16, 20, 64, 512, 513, 1526, 4096][Int(number(12))])
        }
    }

    func step(works: Bool = true) throws {
        guard let queue = driver.queues.randomElement(using: &random) else { return driver.start(features()) }
        switch number(20) {
        case 0...6: try offerChain(queue)
        case 7:
            try queue.write(
                .init(
                    address: anyAddress(), count: anyCount(), flags: UInt16(truncatingIfNeeded: random.next()),
                    next: UInt16(number(UInt64(queue.size) + 2))), at: UInt16(number(UInt64(queue.size))))
        case 8: if chance(20) { try queue.setAvailableIndex(UInt16(truncatingIfNeeded: random.next())) }
        case 9: driver.setCommon(random.next(), Int(number(0x40)), [1, 2, 4, 8][Int(number(4))])
        case 10: driver.setField(random.next(), Int(number(72)), [1, 2, 4, 8][Int(number(4))])
        case 11:
            driver.setConfiguration(
                UInt32(truncatingIfNeeded: random.next()), Int(number(256)), [1, 2, 4][Int(number(3))])
        case 12:
            let offset = 0x8000 + number(0x1100)
            _ = driver.bus.writeMemory(
                random.next(), at: driver.address(1, 0) + offset, count: [4, 8, 1][Int(number(3))])
            _ = driver.bus.readMemory(at: driver.address(1, 0) + offset, count: 4)
        case 13: if chance(30) { restart() }
        case 14: exchange()
        case 15: try driver.memory.store(random.next() as UInt64, at: number((1 << 20) - 8))
        default: driver.ring(Int(number(5)))
        }
        if works { driver.work(rounds: 200) }
    }

    /// A chain that is right most of the time.
    private func offerChain(_ queue: GuestQueue) throws {
        let count = Int(number(5)) + 1
        let first = UInt16(number(UInt64(queue.size)))
        let readable = Int(number(UInt64(count) + 1))
        for index in 0..<count {
            let isLast = index == count - 1
            var flags: UInt16 = (index < readable ? 0 : 2) | (isLast ? 0 : 1)
            if chance(3) { flags ^= UInt16(1) << UInt16(number(4)) }
            let position = (first &+ UInt16(index)) % queue.size
            let address = anyAddress()
            if index == 0, chance(60), address < 1 << 19 {
                // The head of a request that some device knows.
                try driver.memory.store(UInt32([0, 1, 4, 8, 11, 13, 99][Int(number(7))]), at: address)
                try driver.memory.store(number(130), at: address + 8)
            }
            try queue.write(
                .init(
                    address: address, count: index == 0 && chance(50) ? 16 : anyCount(), flags: flags,
                    next: (position &+ 1) % queue.size), at: position)
        }
        try queue.offer(first)
    }

    /// Lets the other side of a socket speak and listen.
    private func exchange() {
        guard peer != nil else { return }
        if chance(3) {
            peer = nil
            return
        }
        let length = chance(90) ? UInt32(number(3000)) : UInt32(truncatingIfNeeded: random.next())
        let body = (0..<Int(min(length, 3000))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try? peer?.writeAll(withUnsafeBytes(of: length.bigEndian, Array.init) + body)
        _ = try? peer?.read(upTo: 1 << 18)
    }

    /// What an operating system does before it takes a device over: nothing of the past is left.
    private func restart() {
        driver.setConfiguration(0, 4, 2)
        driver.setConfiguration(address.low, 0x10, 4)
        driver.setConfiguration(address.high, 0x14, 4)
        driver.setConfiguration(6, 4, 2)
        driver.forgetMemory()
        driver.start(features())
    }

    func expectRecovery() throws {
        restart()
        #expect(driver.status & 0x4f == 15, "seed \(seed)")
        driver.status = 0
        #expect(driver.work(), "seed \(seed)")
        #expect(driver.status == 0, "seed \(seed)")
    }
}
