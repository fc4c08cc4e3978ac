import Synchronization

/// Requests of a block device, by kind. Each queue's thread adds to it.
final class BlockCounts: Sendable {
    private let reads = Atomic<UInt64>(0)
    private let readBytes = Atomic<UInt64>(0)
    private let writes = Atomic<UInt64>(0)
    private let writtenBytes = Atomic<UInt64>(0)
    private let flushes = Atomic<UInt64>(0)
    private let failures = Atomic<UInt64>(0)

    /// - Parameter byteCount: What was read or written, if anything was.
    func add(_ kind: BlockRequestHeader.Kind?, byteCount: Int, _ status: BlockStatus) {
        guard status == .success else {
            failures.wrappingAdd(1, ordering: .relaxed)
            return
        }
        switch kind {
        case .read:
            reads.wrappingAdd(1, ordering: .relaxed)
            readBytes.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
        case .write:
            writes.wrappingAdd(1, ordering: .relaxed)
            writtenBytes.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
        case .flush: flushes.wrappingAdd(1, ordering: .relaxed)
        default: break
        }
    }

    var counters: [DeviceCounter] {
        [
            DeviceCounter("reads", reads.load(ordering: .relaxed)),
            DeviceCounter("readBytes", readBytes.load(ordering: .relaxed)),
            DeviceCounter("writes", writes.load(ordering: .relaxed)),
            DeviceCounter("writtenBytes", writtenBytes.load(ordering: .relaxed)),
            DeviceCounter("flushes", flushes.load(ordering: .relaxed)),
            DeviceCounter("failures", failures.load(ordering: .relaxed)),
        ]
    }
}
