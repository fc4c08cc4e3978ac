import DiskImage
public import GuestMemory
import LinuxSystem
import Synchronization

/// virtio-balloon (Virtio 1.2, section 5.5): gives the host back what the guest does not use.
///
/// It uses free page reporting: the guest keeps naming ranges that it has freed, without being asked. It is never asked
/// to give up more, since the target stays 0; a driver that inflates all the same is served.
public final class BalloonDevice: VirtioDevice {
    static let queueSize: UInt16 = 128
    /// Page frame numbers of one request that are looked at; Linux sends 256.
    static let pageLimit = 4096
    /// Requests before others get their turn.
    static let batchLimit = 32
    /// The size of the page that a page frame number means, in bytes, whatever the guest's own page size.
    static let pageSize: UInt64 = 4096

    enum Feature {
        static let statistics = VirtioFeatures(bit: 1)
        static let deflateOnShortage = VirtioFeatures(bit: 2)
        static let reporting = VirtioFeatures(bit: 5)
    }
    /// Where the driver says how many pages it has given up: a claim, which nothing here uses.
    private static let actualPages = 4
    enum Role {
        case inflate, deflate, statistics, reporting
    }

    struct StatisticsQueue: ~Copyable {
        /// The buffer that the driver gets back when new numbers are wanted.
        var held: DescriptorChain?
    }

    private let memory: GuestMemory
    private let fields = Mutex(ConfigurationFields(byteCount: 16))
    private let roles = Mutex<[Role]>([])
    let inflate = QueueSlot<Void>(())
    let deflate = QueueSlot<Void>(())
    let statisticsSlot = QueueSlot(StatisticsQueue())
    let reporting = QueueSlot<Void>(())
    private let latest = Mutex<(statistics: BalloonStatistics, time: MonotonicClock?)>((BalloonStatistics(), nil))
    private let discarded = Atomic<UInt64>(0)

    /// - Parameter memory: The guest's memory, anonymous and private.
    public init(memory: GuestMemory) { self.memory = memory }

    public var kind: VirtioDeviceKind { .balloon }
    public var features: VirtioFeatures {
        [.version1, .ringEventIndex, Feature.statistics, Feature.deflateOnShortage, Feature.reporting]
    }
    public var queueSizes: [UInt16] { Array(repeating: Self.queueSize, count: 4) }

    // MARK: What the host learns

    /// How much memory the host got back since the machine's start, in bytes; the same page may count several times.
    public var discardedByteCount: UInt64 { discarded.load(ordering: .relaxed) }
    /// Values that the guest reports are there only after its first report, with their age.
    public var counters: [DeviceCounter] {
        let (said, time) = latest.withLock { $0 }
        var counters = [DeviceCounter("discardedBytes", discardedByteCount)]
        guard let time else { return counters }
        let age = UInt64(max(0, MonotonicClock.now.milliseconds(since: time)))
        counters.append(DeviceCounter("reportAgeMilliseconds", age))
        for (name, value) in [
            ("guestTotalBytes", said.total), ("guestFreeBytes", said.free), ("guestAvailableBytes", said.available),
        ] {
            if let value { counters.append(DeviceCounter(name, value)) }
        }
        return counters
    }

    /// The guest's last report.
    public var statistics: BalloonStatistics { latest.withLock { $0.statistics } }

    /// Asks the guest for new numbers, which arrive in ``statistics`` and ``counters`` a little later.
    public func refreshCounters() {
        _ = statisticsSlot.serve { queue, state, _ in
            if let chain = state.held.take() { queue.complete(chain, written: 0) }
            return .done
        }
    }

    // MARK: Driver

    public func readConfiguration(at offset: Int, count: Int) -> UInt64 {
        fields.withLock { $0.load(at: offset, count: count) }
    }

    public func writeConfiguration(_ value: UInt64, at offset: Int, count: Int) {
        guard offset == Self.actualPages, count == 4 else { return }
        fields.withLock { $0.set(UInt32(truncatingIfNeeded: value), at: offset) }
    }

    public func start(_ features: VirtioFeatures, signals: DeviceSignals) {
        // Queues of features that were not negotiated do not exist, and the others move up.
        var list: [Role] = [.inflate, .deflate]
        if features.contains(Feature.statistics) { list.append(.statistics) }
        if features.contains(Feature.reporting) { list.append(.reporting) }
        roles.withLock { $0 = list }
    }

    private func role(_ index: Int) -> Role? { roles.withLock { $0.indices.contains(index) ? $0[index] : nil } }

    public func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        switch role(index) {
        case .inflate: inflate.attach(queue, signal: signal)
        case .deflate: deflate.attach(queue, signal: signal)
        case .statistics: statisticsSlot.attach(queue, signal: signal)
        case .reporting: reporting.attach(queue, signal: signal)
        case nil: break
        }
    }

    public func reset() {
        inflate.detach()
        deflate.detach()
        statisticsSlot.detach { $0.held = nil }
        reporting.detach()
        roles.withLock { $0 = [] }
        latest.withLock { $0 = (BalloonStatistics(), nil) }
        fields.withLock { $0.set(UInt32(0), at: Self.actualPages) }
    }

    public func serve(queue index: Int) -> ServiceOutcome {
        switch role(index) {
        case .inflate: serve(inflate, discardPages)
        // Pages that the guest takes back are there again when it touches them.
        case .deflate: serve(deflate) { _ in }
        case .reporting: serve(reporting, discardRanges)
        case .statistics: serveStatistics()
        case nil: .done
        }
    }

    private func serve(
        _ slot: QueueSlot<Void>, _ body: (inout DescriptorChain) throws(QueueError) -> Void
    ) -> ServiceOutcome {
        slot.serveRequests(limit: Self.batchLimit) { chain throws(QueueError) in
            try body(&chain)
            return 0
        }
    }

    // MARK: Queues

    /// Gives back the pages that an inflating driver names by their numbers. Numbers outside RAM name nothing.
    private func discardPages(_ chain: inout DescriptorChain) throws(QueueError) {
        var run: Range<UInt64> = 0..<0
        for _ in 0..<Self.pageLimit {
            guard let raw = chain.readValue(UInt32(0)) else { break }
            let page = UInt64(UInt32(littleEndian: raw))
            if page == run.upperBound, !run.isEmpty {
                run = run.lowerBound..<page + 1
            } else if page + 1 == run.lowerBound, !run.isEmpty {
                run = page..<run.upperBound
            } else {
                discard(run)
                run = page..<page + 1
            }
        }
        discard(run)
    }

    private func discard(_ pages: Range<UInt64>) {
        guard !pages.isEmpty else { return }
        let bytes = Int(UInt64(pages.count) * Self.pageSize)
        guard let count = try? memory.discard(at: pages.lowerBound * Self.pageSize, count: bytes) else { return }
        discarded.wrappingAdd(UInt64(count), ordering: .relaxed)
    }

    /// Gives back the ranges that the driver reports as free: the buffers themselves.
    private func discardRanges(_ chain: inout DescriptorChain) throws(QueueError) {
        guard chain.readableByteCount == 0 else { throw .malformedRequest }
        let segments = unsafe chain.writableSegments
        for index in segments.indices {
            let segment = unsafe segments[index]
            let count = unsafe memory.discard(segment.base, count: segment.count)
            discarded.wrappingAdd(UInt64(count), ordering: .relaxed)
        }
    }

    /// Reads the driver's numbers and keeps their buffer until new ones are wanted (section 5.5.6.3).
    private func serveStatistics() -> ServiceOutcome {
        statisticsSlot.serve { queue, state, _ throws(QueueError) in
            repeat {
                while var chain = try queue.nextChain() {
                    // One buffer is all that a driver has here.
                    guard state.held == nil else { throw .malformedRequest }
                    let said = Self.parse(&chain)
                    latest.withLock { $0 = (said, .now) }
                    state.held = consume chain
                }
            } while queue.enableNotifications()
            return .done
        }
    }

    private static func parse(_ chain: inout DescriptorChain) -> BalloonStatistics {
        var statistics = BalloonStatistics()
        for _ in 0..<BalloonStatistics.entryLimit where chain.readableByteCount >= BalloonStatistics.entryByteCount {
            guard let tag = chain.readValue(UInt16(0)), let value = chain.readValue(UInt64(0)) else { break }
            statistics.set(tag: UInt16(littleEndian: tag), value: UInt64(littleEndian: value))
        }
        return statistics
    }
}
