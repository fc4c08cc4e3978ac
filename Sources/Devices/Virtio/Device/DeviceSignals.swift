import PCI
import Synchronization

/// Where a device's interrupts go. Any thread may call it.
public protocol InterruptVectors: Sendable {
    /// Fires a vector; one that does not exist is nobody's.
    /// - Returns: Whether the driver takes interrupts by vectors at all.
    func trigger(_ vector: Int) -> Bool
}

extension MSIXTable: InterruptVectors {}

/// How a device signals its driver about itself rather than about a queue.
///
/// Any thread may call anything; no lock of the transport is taken, so a device may call it while it serves a queue.
public final class DeviceSignals: Sendable {
    static let noVector: UInt16 = 0xffff
    /// Bits of the interrupt status register (Virtio 1.2, section 4.1.4.5).
    static let queueInterrupt: UInt8 = 1
    static let configurationInterrupt: UInt8 = 2

    let vectors: any InterruptVectors
    let configurationVector = Atomic<UInt16>(DeviceSignals.noVector)
    let interruptStatus = Atomic<UInt8>(0)
    let generation = Atomic<UInt8>(0)
    private let broken = Atomic<Bool>(false)
    private let failures = Mutex<[QueueError]>([])

    /// No vector signals configuration changes until a driver chooses one.
    public init(vectors: any InterruptVectors) { self.vectors = vectors }

    /// Tells the driver that configuration fields changed.
    public func configurationChanged() {
        generation.wrappingAdd(1, ordering: .releasing)
        interrupt(configurationVector.load(ordering: .relaxed), status: Self.configurationInterrupt)
    }

    /// Stops the device because of what its driver did, and asks the driver to reset it.
    public func stop(because error: QueueError) {
        failures.withLock { if $0.count < 16 { $0.append(error) } }
        guard !broken.exchange(true, ordering: .acquiringAndReleasing) else { return }
        interrupt(configurationVector.load(ordering: .relaxed), status: Self.configurationInterrupt)
    }

    /// Whether the device stopped and waits for a reset.
    public var isStopped: Bool { broken.load(ordering: .acquiring) }

    /// Why the device stopped, over its lifetime: the first 16 reasons.
    public var stopReasons: [QueueError] { failures.withLock { $0 } }

    func interrupt(_ vector: UInt16, status: UInt8) {
        let usesMessages = vectors.trigger(Int(vector))
        if !usesMessages { interruptStatus.bitwiseOr(status, ordering: .acquiringAndReleasing) }
    }

    func reset() {
        configurationVector.store(Self.noVector, ordering: .relaxed)
        interruptStatus.store(0, ordering: .relaxed)
        broken.store(false, ordering: .releasing)
    }
}

/// Interrupts the driver for one queue.
public final class QueueSignal: Sendable {
    let signals: DeviceSignals
    let vector = Atomic<UInt16>(DeviceSignals.noVector)

    init(_ signals: DeviceSignals) { self.signals = signals }

    /// For a transport whose drivers do not choose vectors.
    public init(_ signals: DeviceSignals, vector: UInt16) {
        self.signals = signals
        self.vector.store(vector, ordering: .relaxed)
    }

    /// Interrupts the driver if it wants an interrupt for what `queue` published.
    public func notify(of queue: inout VirtQueue) {
        guard queue.needsInterrupt() else { return }
        signals.interrupt(vector.load(ordering: .relaxed), status: DeviceSignals.queueInterrupt)
    }
}
