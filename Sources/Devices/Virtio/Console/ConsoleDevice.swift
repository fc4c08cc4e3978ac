import Glibc
public import LinuxSystem
import Synchronization

/// virtio-console (Virtio 1.2, section 5.3) with one port, over a stream socket. What the guest prints comes out of it,
/// and the guest reads what is written into it. A side that does not keep up holds up the other.
public final class ConsoleDevice: VirtioDevice {
    static let queueSize: UInt16 = 64
    /// Requests before others get their turn.
    static let batchLimit = 64

    enum Feature {
        static let size = VirtioFeatures(bit: 0)
    }
    enum Queue {
        static let receive = 0
        static let transmit = 1
    }

    struct Printer: ~Copyable {
        /// What the socket did not take yet; the queue's next chain is taken after this one only.
        var held: DescriptorChain?
    }

    private let input: OwnedDescriptor
    private let output: OwnedDescriptor
    private let receiver = QueueSlot<Void>(())
    private let printer = QueueSlot(Printer())
    private let fields = Mutex(ConfigurationFields(byteCount: 12))
    private let signals = Mutex<DeviceSignals?>(nil)
    private let isOpen = Atomic<Bool>(true)

    /// - Parameter socket: A connected stream socket.
    public init(socket: consuming OwnedDescriptor) throws(SystemError) {
        output = try socket.duplicate()
        input = socket
    }

    public var kind: VirtioDeviceKind { .console }
    public var features: VirtioFeatures { [.version1, .ringEventIndex, Feature.size] }
    public var queueSizes: [UInt16] { [Self.queueSize, Self.queueSize] }
    public var descriptors: [DeviceDescriptor] {
        [
            DeviceDescriptor(
                descriptor: input.rawValue, interest: [.readable, .edgeTriggered], lane: 0, queue: Queue.receive),
            DeviceDescriptor(
                descriptor: output.rawValue, interest: [.writable, .edgeTriggered], lane: 0, queue: Queue.transmit),
        ]
    }

    /// Tells the guest how large the terminal is, in characters.
    public func resize(columns: UInt16, rows: UInt16) {
        fields.withLock { fields in
            fields.set(columns, at: 0)
            fields.set(rows, at: 2)
        }
        signals.withLock { $0 }?.configurationChanged()
    }

    public func readConfiguration(at offset: Int, count: Int) -> UInt64 {
        fields.withLock { $0.load(at: offset, count: count) }
    }

    public func start(_ features: VirtioFeatures, signals: DeviceSignals) { self.signals.withLock { $0 = signals } }

    public func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        switch index {
        case Queue.receive: receiver.attach(queue, signal: signal)
        case Queue.transmit: printer.attach(queue, signal: signal)
        default: break
        }
    }

    public func reset() {
        receiver.detach()
        printer.detach { $0.held = nil }
        signals.withLock { $0 = nil }
    }

    public func serve(queue index: Int) -> ServiceOutcome { index == Queue.receive ? receive() : transmit() }
    public func serve(descriptor index: Int) -> ServiceOutcome { index == Queue.receive ? receive() : transmit() }

    private func receive() -> ServiceOutcome {
        receiver.serve { queue, _, _ throws(QueueError) in
            var left = Self.batchLimit
            while left > 0 {
                guard isOpen.load(ordering: .relaxed) else { return .done }
                // Asked first: a chain that is taken must be used.
                guard isReadable(input.rawValue) else { return .done }
                guard var chain = try queue.nextChain() else {
                    if queue.enableNotifications() { continue }
                    return .done
                }
                guard chain.readableByteCount == 0, let buffer = unsafe chain.firstWritableSegment else {
                    throw .malformedRequest
                }
                // SAFETY: the chain keeps the buffer in guest RAM.
                let count = unsafe recv(input.rawValue, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
                if count <= 0 {
                    if count == 0 || (errno != EINTR && errno != EAGAIN) { isOpen.store(false, ordering: .relaxed) }
                    queue.unrecord(1)
                    continue
                }
                queue.complete(chain, written: count)
                left -= 1
            }
            return .moreWork
        }
    }

    private func isReadable(_ descriptor: CInt) -> Bool {
        (try? waitUntilReady(descriptor, for: .readable, milliseconds: 0)) ?? false
    }

    private func transmit() -> ServiceOutcome {
        printer.serve { queue, state, _ throws(QueueError) in
            var left = Self.batchLimit
            while left > 0 {
                var next = state.held.take()
                if next == nil { next = try queue.nextChain() }
                guard var chain = next.take() else {
                    if queue.enableNotifications() { continue }
                    return .done
                }
                guard print(&chain) else {
                    state.held = consume chain
                    return .done
                }
                queue.complete(chain, written: 0)
                left -= 1
            }
            return .moreWork
        }
    }

    /// - Returns: Whether all bytes are gone. After the peer hung up, they go nowhere.
    private func print(_ chain: inout DescriptorChain) -> Bool {
        while let bytes = unsafe chain.firstReadableSegment {
            guard isOpen.load(ordering: .relaxed) else { return true }
            // SAFETY: the chain keeps the bytes in guest RAM.
            let count = unsafe send(output.rawValue, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL))
            if count > 0 {
                chain.consumeReadable(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return false
            default: isOpen.store(false, ordering: .relaxed)
            }
        }
        return true
    }
}
