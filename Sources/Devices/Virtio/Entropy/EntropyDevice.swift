import CLinux
import DiskImage
import Glibc

/// virtio-rng (Virtio 1.2, section 5.4): fills the driver's buffers with random bytes from the host's kernel.
public final class EntropyDevice: VirtioDevice {
    /// The size of one request, in bytes. Descriptors may overlap, so without a limit a request could ask for
    /// gigabytes.
    static let requestLimit = 64 << 10
    /// Requests served before others get their turn.
    static let batchLimit = 16

    private let slot = QueueSlot<Void>(())

    public init() {}

    public var kind: VirtioDeviceKind { .entropy }
    public var features: VirtioFeatures { [.version1, .ringEventIndex] }
    public var queueSizes: [UInt16] { [64] }

    public func start(_ features: VirtioFeatures, signals: DeviceSignals) {}
    public func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        slot.attach(queue, signal: signal)
    }
    public func reset() { slot.detach() }

    public func serve(queue index: Int) -> ServiceOutcome {
        slot.serveRequests(limit: Self.batchLimit) { chain throws(QueueError) in
            guard chain.readableByteCount == 0 else { throw .malformedRequest }
            return Self.fill(chain)
        }
    }

    private static func fill(_ chain: borrowing DescriptorChain) -> Int {
        var filled = 0
        let segments = unsafe chain.writableSegments
        for index in segments.indices {
            let segment = unsafe segments[index]
            let wanted = min(segment.count, requestLimit - filled)
            var done = 0
            while done < wanted {
                // SAFETY: inside the segment, which the chain keeps in guest RAM.
                let count = unsafe getrandom(segment.base + done, wanted - done, 0)
                if count > 0 {
                    done += count
                } else if errno != EINTR {
                    return filled + done
                }
            }
            filled += wanted
            if filled == requestLimit { break }
        }
        return filled
    }
}
