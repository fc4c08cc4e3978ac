public import DiskImage
import Synchronization

/// virtio-blk (Virtio 1.2, section 5.2) over a disk image. Each queue may have its own thread.
public final class BlockDevice: VirtioDevice {
    static let sectorSize: UInt64 = 512
    /// Room for the segments of 1280 KiB, which is as much as Linux asks for at once: with 256 it cuts each MiB in two.
    static let queueSize: UInt16 = 512
    /// Ranges in one discard or write-zeroes request.
    static let rangeLimit = 32
    /// Requests served before others get their turn.
    static let batchLimit = 64
    static let identifierByteCount = 20

    enum Feature {
        static let segmentLimit = VirtioFeatures(bit: 2)
        static let readOnly = VirtioFeatures(bit: 5)
        static let blockSize = VirtioFeatures(bit: 6)
        static let flush = VirtioFeatures(bit: 9)
        static let topology = VirtioFeatures(bit: 10)
        static let configurableCache = VirtioFeatures(bit: 11)
        static let multiQueue = VirtioFeatures(bit: 12)
        static let discard = VirtioFeatures(bit: 13)
        static let writeZeroes = VirtioFeatures(bit: 14)
    }
    /// Offset of the one field that a driver writes: whether a write may be acknowledged before it is on the disk.
    static let writebackOffset = 32

    let storage: any BlockStorage
    private let identifier: InlineArray<20, UInt8>
    private let slots: [QueueSlot<Void>]
    private let fields: Mutex<ConfigurationFields>
    private let signals = Mutex<DeviceSignals?>(nil)
    /// Whether every write is flushed before it is acknowledged.
    private let writesThrough = Atomic<Bool>(false)
    private let counts = BlockCounts()

    /// - Parameters:
    ///   - identifier: Shown by Linux as `/dev/disk/by-id/virtio-…`; 20 bytes of it.
    ///   - queueCount: 1 to 16; one for each vCPU is best.
    public init(_ storage: any BlockStorage, identifier: String, queueCount: Int = 1) {
        self.storage = storage
        let name = Array(identifier.utf8.prefix(Self.identifierByteCount))
        self.identifier = InlineArray { name.indices.contains($0) ? name[$0] : 0 }
        slots = (0..<min(max(queueCount, 1), 16)).map { _ in QueueSlot(()) }
        fields = Mutex(Self.fields(storage, queueCount: slots.count))
    }

    public var kind: VirtioDeviceKind { .block }
    public var queueSizes: [UInt16] { slots.map { _ in Self.queueSize } }
    public func lane(ofQueue index: Int) -> Int { index }

    public var features: VirtioFeatures {
        var features: VirtioFeatures = [
            .version1, .ringEventIndex, .ringIndirectDescriptors, Feature.segmentLimit, Feature.blockSize,
            Feature.flush,
            Feature.topology, Feature.configurableCache,
        ]
        if slots.count > 1 { features.insert(Feature.multiQueue) }
        if storage.isReadOnly {
            features.insert(Feature.readOnly)
        } else {
            features.formUnion([Feature.discard, Feature.writeZeroes])
        }
        return features
    }

    /// The configuration fields (section 5.2.4).
    private static func fields(_ storage: any BlockStorage, queueCount: Int) -> ConfigurationFields {
        var fields = ConfigurationFields(byteCount: 60)
        let cluster = UInt32(clamping: max(storage.preferredAlignment, 4096)) / UInt32(sectorSize)
        fields.set(storage.virtualSize / sectorSize, at: 0)
        // Two descriptors of a request are its header and its status.
        fields.set(UInt32(queueSize) - 2, at: 12)
        fields.set(UInt32(sectorSize), at: 20)
        // Topology: a physical block is 8 sectors; small transfers cost more than a cluster.
        fields.set(UInt8(3), at: 24)
        fields.set(UInt16(8), at: 26)
        fields.set(cluster, at: 28)
        fields.set(UInt8(1), at: writebackOffset)
        fields.set(UInt16(queueCount), at: 34)
        let sectors = UInt32(clamping: UInt64(1 << 30) / sectorSize)
        fields.set(sectors, at: 36)
        fields.set(UInt32(rangeLimit), at: 40)
        fields.set(cluster, at: 44)
        fields.set(sectors, at: 48)
        fields.set(UInt32(rangeLimit), at: 52)
        fields.set(UInt8(1), at: 56)
        return fields
    }

    public var counters: [DeviceCounter] { counts.counters }

    public func readConfiguration(at offset: Int, count: Int) -> UInt64 {
        fields.withLock { $0.load(at: offset, count: count) }
    }

    public func writeConfiguration(_ value: UInt64, at offset: Int, count: Int) {
        guard offset == Self.writebackOffset, count == 1, value <= 1 else { return }
        fields.withLock { $0.set(UInt8(value), at: offset) }
        writesThrough.store(value == 0, ordering: .relaxed)
    }

    /// Tells the driver that the disk has a new size.
    public func capacityChanged() {
        fields.withLock { $0.set(storage.virtualSize / Self.sectorSize, at: 0) }
        signals.withLock { $0 }?.configurationChanged()
    }

    public func start(_ features: VirtioFeatures, signals: DeviceSignals) {
        self.signals.withLock { $0 = signals }
        // Without these a driver cannot flush, so it must not need to (section 5.2.6.2).
        let canFlush = features.contains(Feature.flush) || features.contains(Feature.configurableCache)
        if !canFlush { writesThrough.store(true, ordering: .relaxed) }
    }

    public func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        guard slots.indices.contains(index) else { return }
        slots[index].attach(queue, signal: signal)
    }

    public func reset() {
        for slot in slots { slot.detach() }
        signals.withLock { $0 = nil }
        fields.withLock { $0.set(UInt8(1), at: Self.writebackOffset) }
        writesThrough.store(false, ordering: .relaxed)
    }

    public func serve(queue index: Int) -> ServiceOutcome {
        guard slots.indices.contains(index) else { return .done }
        return slots[index].serveRequests(limit: Self.batchLimit, tellsEach: true) { chain throws(QueueError) in
            try serve(&chain)
        }
    }
}

// MARK: - Requests

extension BlockDevice {
    /// Serves one request and stores its outcome.
    /// - Returns: How many bytes were written into the guest.
    /// - Throws: ``QueueError/malformedRequest`` where there is no header, or no place for the outcome.
    private func serve(_ chain: inout DescriptorChain) throws(QueueError) -> Int {
        guard let header = chain.readValue(BlockRequestHeader()), let outcome = unsafe chain.takeLastWritableByte()
        else {
            throw .malformedRequest
        }
        var written = 0
        let transferred = header.kind == .write ? chain.readableByteCount : 0
        let status = perform(header, &chain, &written)
        counts.add(header.kind, byteCount: header.kind == .write ? transferred : written, status)
        // SAFETY: the chain keeps this byte in guest RAM.
        unsafe outcome.storeBytes(of: status.rawValue, as: UInt8.self)
        return written + 1
    }

    private func perform(
        _ header: BlockRequestHeader, _ chain: inout DescriptorChain, _ written: inout Int
    ) -> BlockStatus {
        do throws(DiskImageError) {
            switch header.kind {
            case .read:
                let count = chain.writableByteCount
                guard let offset = byteOffset(header.sector, count: count) else { return .failed }
                if count > 0 { try unsafe storage.read(into: chain.writableSegments, at: offset) }
                written = count
            case .write:
                let count = chain.readableByteCount
                guard !storage.isReadOnly, let offset = byteOffset(header.sector, count: count) else { return .failed }
                if count > 0 { try unsafe storage.write(from: chain.readableSegments, at: offset) }
                if writesThrough.load(ordering: .relaxed) { try storage.flush() }
            case .flush: try storage.flush()
            case .identify:
                guard chain.writableByteCount >= Self.identifierByteCount else { return .failed }
                var name = identifier
                unsafe withUnsafeBytes(of: &name) { bytes in _ = unsafe chain.write(bytes) }
                written = Self.identifierByteCount
            case .discard:
                return try forEachRange(&chain, allowedFlags: 0) { range, offset, count throws(DiskImageError) in
                    try storage.discard(at: offset, count: count)
                }
            case .writeZeroes:
                return try forEachRange(&chain, allowedFlags: BlockRange.unmap) {
                    range, offset, count throws(DiskImageError) in
                    try storage.writeZeroes(at: offset, count: count, mayUnmap: range.flags & BlockRange.unmap != 0)
                }
            case nil: return .unsupported
            }
            return .success
        } catch {
            return .failed
        }
    }

    private func forEachRange(
        _ chain: inout DescriptorChain, allowedFlags: UInt32,
        _ body: (BlockRange, UInt64, UInt64) throws(DiskImageError) -> Void
    ) throws(DiskImageError) -> BlockStatus {
        let size = MemoryLayout<BlockRange>.size
        let count = chain.readableByteCount / size
        guard chain.readableByteCount % size == 0, (1...Self.rangeLimit).contains(count) else { return .failed }
        guard !storage.isReadOnly else { return .failed }
        for _ in 0..<count {
            guard let range = chain.readValue(BlockRange()) else { return .failed }
            guard range.flags & ~allowedFlags == 0 else { return .unsupported }
            let bytes = UInt64(range.count) * Self.sectorSize
            guard let offset = byteOffset(range.sector, count: Int(bytes)) else { return .failed }
            if bytes > 0 { try body(range, offset, bytes) }
        }
        if writesThrough.load(ordering: .relaxed) { try storage.flush() }
        return .success
    }

    /// The byte at which `count` bytes from `sector` on start; nil unless all are whole sectors of the disk.
    private func byteOffset(_ sector: UInt64, count: Int) -> UInt64? {
        let capacity = storage.virtualSize / Self.sectorSize
        guard count >= 0, UInt64(count) % Self.sectorSize == 0 else { return nil }
        let sectors = UInt64(count) / Self.sectorSize
        guard sector <= capacity, sectors <= capacity - sector else { return nil }
        return sector * Self.sectorSize
    }
}
