import GuestMemory
import Synchronization
import Virtio

/// A device with two queues that writes back what it reads, in capitals.
final class EchoDevice: SeparableDevice {
    private struct Slot: ~Copyable {
        var queue: VirtQueue?
        var signal: QueueSignal?
        var signals: DeviceSignals?
    }
    private final class Place: Sendable {
        let slot = Mutex(Slot(queue: nil, signal: nil, signals: nil))
    }
    private let places = [Place(), Place()]
    private let current = Mutex<DeviceSignals?>(nil)
    let starts = Atomic<Int>(0)

    var kind: VirtioDeviceKind { .fileSystem }
    var features: VirtioFeatures { [.version1, .ringEventIndex] }
    var queueSizes: [UInt16] { [8, 8] }

    func start(_ features: VirtioFeatures, signals: DeviceSignals) {
        starts.add(1, ordering: .relaxed)
        current.withLock { $0 = signals }
    }

    func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        var queue: VirtQueue? = queue
        let signals = current.withLock { $0 }
        places[index].slot.withLock {
            $0.queue = queue.take()
            $0.signal = signal
            $0.signals = signals
        }
    }

    func reset() { for index in places.indices { _ = detach(queue: index) } }

    func detach(queue index: Int) -> UInt16? {
        places[index].slot.withLock {
            let position = $0.queue?.position
            $0.queue = nil
            return position
        }
    }

    func serve(queue index: Int) -> ServiceOutcome {
        places[index].slot.withLock { slot in
            guard let signal = slot.signal, let signals = slot.signals, !signals.isStopped,
                var queue = slot.queue.take()
            else { return .done }
            do throws(QueueError) {
                repeat {
                    while var chain = try queue.nextChain() {
                        var bytes = [UInt8](repeating: 0, count: min(chain.readableByteCount, 256))
                        _ = bytes.withUnsafeMutableBytes { chain.read(into: $0) }
                        let answer = String(decoding: bytes, as: UTF8.self).uppercased()
                        let written = Array(answer.utf8).withUnsafeBytes { chain.write($0) }
                        queue.complete(chain, written: written)
                    }
                } while queue.enableNotifications()
                signal.notify(of: &queue)
                slot.queue = consume queue
            } catch { signals.stop(because: error) }
            return .done
        }
    }
}
