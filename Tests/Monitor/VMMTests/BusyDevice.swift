import LinuxSystem
import Synchronization
import Virtio

/// A device without queues that lets a processor wait when it first reads its configuration.
final class BusyDevice: VirtioDevice {
    private let isAsked = Atomic<Bool>(false)
    private let mayAnswer = Atomic<Bool>(false)

    let kind = VirtioDeviceKind.entropy
    let features: VirtioFeatures = [.version1]
    let queueSizes: [UInt16] = []

    /// - Returns: Whether a processor asked within ten seconds.
    func waitUntilAsked() -> Bool { Self.wait(for: isAsked) }
    func answer() { mayAnswer.store(true, ordering: .releasing) }

    func readConfiguration(at offset: Int, count: Int) -> UInt64 {
        isAsked.store(true, ordering: .releasing)
        _ = Self.wait(for: mayAnswer)
        return 0
    }

    private static func wait(for flag: borrowing Atomic<Bool>) -> Bool {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        while !flag.load(ordering: .acquiring) {
            guard MonotonicClock.now < deadline else { return false }
        }
        return true
    }

    func start(_ features: VirtioFeatures, signals: DeviceSignals) {}
    func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {}
    func reset() {}
    func serve(queue index: Int) -> ServiceOutcome { .done }
}
