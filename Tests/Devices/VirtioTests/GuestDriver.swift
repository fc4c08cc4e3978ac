import GuestMemory
import LinuxSystem
import PCI
import Synchronization
import Virtio

/// The guest's side of a device: finds it on the bus and drives it as an operating system's driver does, by the
/// registers alone. Offsets and bits are written down here from the specification, not taken from the code under test.
final class GuestDriver {
    static let aperture: Range<UInt64> = 0xc000_1000..<0xeec0_0000
    static let slot = 3

    let memory: GuestMemory
    let bus: PCIBus
    let function: VirtioPCIFunction
    let sink = InterruptLog()
    let doorbells = DoorbellLog()
    private(set) var queues: [GuestQueue] = []
    private var nextPage: UInt64 = 0x10000
    /// Capability offsets in configuration space, by their type.
    private(set) var capabilities: [UInt8: Int] = [:]
    private(set) var messageCapability = 0
    private var bar: UInt64 = 0

    convenience init(_ device: any VirtioDevice, byteCount: UInt64 = 4 << 20) throws {
        try self.init(device, memory: try GuestMemory(byteCount: byteCount))
    }

    init(_ device: any VirtioDevice, memory: GuestMemory) throws {
        self.memory = memory
        function = try VirtioPCIFunction(device, memory: memory, interrupts: sink, doorbells: doorbells)
        bus = PCIBus(apertures: [Self.aperture])
        bus.add(function, at: Self.slot)
        _ = bus.assignAddresses()
        findCapabilities()
        let low = UInt64(configuration(0x10, 4))
        bar = low & ~0xf | UInt64(configuration(0x14, 4)) << 32
        setConfiguration(0x6, 0x04, 2)
    }

    // MARK: Registers

    func configuration(_ offset: Int, _ count: Int) -> UInt32 {
        bus.readConfiguration(device: Self.slot, offset: offset, count: count)
    }
    func setConfiguration(_ value: UInt32, _ offset: Int, _ count: Int) {
        bus.writeConfiguration(value, device: Self.slot, offset: offset, count: count)
    }

    private func findCapabilities() {
        var offset = Int(configuration(0x34, 1))
        while offset != 0 {
            switch configuration(offset, 1) {
            case 0x09: capabilities[UInt8(configuration(offset + 3, 1))] = offset
            case 0x11: messageCapability = offset
            default: break
            }
            offset = Int(configuration(offset + 1, 1))
        }
    }

    /// The address of a byte of the structure that a capability of this type describes.
    func address(_ type: UInt8, _ offset: Int) -> UInt64 {
        bar + UInt64(configuration((capabilities[type] ?? 0) + 8, 4)) + UInt64(offset)
    }

    func common(_ offset: Int, _ count: Int) -> UInt64 { bus.readMemory(at: address(1, offset), count: count) ?? .max }
    func setCommon(_ value: UInt64, _ offset: Int, _ count: Int) {
        _ = bus.writeMemory(value, at: address(1, offset), count: count)
    }
    func field(_ offset: Int, _ count: Int) -> UInt64 { bus.readMemory(at: address(4, offset), count: count) ?? .max }
    func setField(_ value: UInt64, _ offset: Int, _ count: Int) {
        _ = bus.writeMemory(value, at: address(4, offset), count: count)
    }

    var status: UInt8 {
        get { UInt8(truncatingIfNeeded: common(0x14, 1)) }
        set { setCommon(UInt64(newValue), 0x14, 1) }
    }

    var offeredFeatures: UInt64 {
        setCommon(0, 0, 4)
        let low = common(4, 4)
        setCommon(1, 0, 4)
        return low | common(4, 4) << 32
    }

    // MARK: Life of a driver

    /// Negotiates up to FEATURES_OK. Returns whether the device agreed.
    func negotiate(_ features: UInt64) -> Bool {
        status = 0
        status = 1
        status = 3
        for word in 0..<2 as Range<UInt64> {
            setCommon(word, 8, 4)
            setCommon(features >> (32 * word) & 0xffff_ffff, 12, 4)
        }
        status = 11
        return status & 8 != 0
    }

    /// Does all that Linux does: features, MSI-X with one vector a queue, queues, DRIVER_OK.
    func start(_ features: UInt64 = .max, queueSize: UInt16? = nil) {
        guard negotiate(features & offeredFeatures) else { return }
        enableMessages()
        setCommon(0, 0x10, 2)
        queues = []
        for index in 0..<Int(common(0x12, 2) & 0xff) {
            queues.append(addQueue(index, size: queueSize, eventIndex: features & offeredFeatures & 1 << 29 != 0))
        }
        status = 15
        work()
    }

    func addQueue(_ index: Int, size: UInt16?, eventIndex: Bool) -> GuestQueue {
        setCommon(UInt64(index), 0x16, 2)
        let size = min(size ?? .max, UInt16(truncatingIfNeeded: common(0x18, 2)))
        setCommon(UInt64(size), 0x18, 2)
        let queue = GuestQueue(
            memory: memory, size: size, descriptors: page(16 * Int(size)), available: page(6 + 2 * Int(size)),
            used: page(6 + 8 * Int(size)), eventIndex: eventIndex)
        for (offset, value) in [(0x20, queue.descriptors), (0x28, queue.available), (0x30, queue.used)] {
            setCommon(value & 0xffff_ffff, offset, 4)
            setCommon(value >> 32, offset + 4, 4)
        }
        setCommon(UInt64(index + 1), 0x1a, 2)
        setCommon(1, 0x1c, 2)
        return queue
    }

    /// Programs every vector under the function mask: vector N carries data 0x40 + N.
    func enableMessages() {
        setConfiguration(0xc000, messageCapability + 2, 2)
        let vectors = Int(configuration(messageCapability + 2, 2) & 0x7ff) + 1
        let table = bar + UInt64(configuration(messageCapability + 4, 4) & ~7)
        for vector in 0..<vectors {
            for (field, value) in [0xfee0_0000, 0, 0x40 + UInt64(vector), 0].enumerated() {
                _ = bus.writeMemory(value, at: table + UInt64(16 * vector + 4 * field), count: 4)
            }
        }
        setConfiguration(0x8000, messageCapability + 2, 2)
    }

    /// Notifies the device as a driver without ioeventfd would, and lets it work.
    func kick(_ index: Int) {
        ring(index)
        work()
    }

    func ring(_ index: Int) {
        let multiplier = Int(configuration((capabilities[2] ?? 0) + 16, 4))
        setCommon(UInt64(index), 0x16, 2)
        let offset = Int(common(0x1e, 2) & 0xffff) * (multiplier & 0xff)
        _ = bus.writeMemory(UInt64(index), at: address(2, offset), count: 2)
    }

    /// Runs the device's thread until nothing is left to do.
    /// - Returns: Whether it came to rest within a bounded number of rounds.
    @discardableResult
    func work(rounds: Int = 10_000) -> Bool {
        for _ in 0..<rounds {
            var worked = false
            for (index, source) in function.sources.enumerated() where isReady(source, index) {
                function.handle(source: index)
                worked = true
            }
            if !worked { return true }
        }
        return false
    }

    /// Level for notifications, edge for what else a device watches, as epoll would do it.
    private func isReady(_ source: WorkSource, _ index: Int) -> Bool {
        let edge = source.interest.rawValue & 1 << 31 != 0
        let plain = Poller.Interest(rawValue: source.interest.rawValue & ~(1 << 31))
        guard edge else { return (try? waitUntilReady(source.descriptor, for: plain, milliseconds: 0)) ?? false }
        if edges == nil { edges = try? Poller() }
        if watched.insert(index).inserted { try? edges?.add(source.descriptor, source.interest, token: UInt64(index)) }
        for ready in (try? edges?.wait(milliseconds: 0)) ?? [] { pendingEdges.insert(Int(ready.token)) }
        return pendingEdges.remove(index) != nil
    }
    private var edges: Poller?
    private var watched: Set<Int> = []
    private var pendingEdges: Set<Int> = []

    // MARK: Memory

    /// Zeroes all memory and hands it out again, for a driver that knows nothing of those before it.
    func forgetMemory() {
        status = 0
        try? memory.fill(at: 0, count: Int(memory.byteCount))
        nextPage = 0x10000
    }

    /// Fresh, zeroed guest memory that begins at a page.
    func page(_ count: Int) -> UInt64 {
        let address = nextPage
        nextPage += UInt64(max(count, 1) + 4095) & ~4095
        return address
    }

    /// Guest memory that holds these bytes.
    func buffer(_ bytes: [UInt8]) throws -> UInt64 {
        let address = page(bytes.count)
        try memory.store(bytes: bytes, at: address)
        return address
    }
}

/// Notes what the device's interrupts did.
final class InterruptLog: MessageInterruptSink {
    private let routesLog = Mutex<[[MessageRoute]]>([])
    private let firedLog = Mutex<[Int]>([])
    var routes: [[MessageRoute]] { routesLog.withLock { $0 } }
    /// Vectors since the last time that somebody asked.
    func takeFired() -> [Int] {
        firedLog.withLock { log in
            defer { log = [] }
            return log
        }
    }
    func updateRoutes(_ routes: [MessageRoute]) { routesLog.withLock { $0.append(routes) } }
    func trigger(vector: Int) { firedLog.withLock { $0.append(vector) } }
}

/// Notes where doorbells are.
final class DoorbellLog: DoorbellSink {
    private let places = Mutex<[Int: UInt64]>([:])
    var addresses: [Int: UInt64] { places.withLock { $0 } }
    func moveDoorbell(queue: Int, descriptor: CInt, from old: UInt64?, to new: UInt64?) {
        places.withLock { places in
            guard places[queue] == old else { return }
            places[queue] = new
        }
    }
}
