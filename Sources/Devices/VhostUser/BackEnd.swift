import GuestMemory
public import LinuxSystem
import Synchronization
import SystemPackage
public import Virtio

/// A virtio device for a monitor in another process: the back-end side of vhost-user (QEMU 7.2,
/// docs/interop/vhost-user.rst) over one connection.
///
/// The front-end gives memory, rings and descriptors, and everything from it is checked before use. Its guest writes
/// rings and buffers, as with any other transport. The thread that calls ``run()`` takes messages, and each queue has a
/// thread of its own.
public final class BackEnd {
    private let device: any SeparableDevice
    private let channel: MessageChannel
    private let report: @Sendable (String) -> Void
    private let vectors: CallVectors
    private let workers: [RingWorker]
    private let status = DeviceStatus()
    private var threads: [WorkerThread] = []
    private var rings: [Ring]
    private var table: MemoryTable?
    /// What the driver accepted.
    private var features: UInt64?
    private var acknowledges = false

    /// The device's own state while its driver is there; queues' threads look at it.
    private final class DeviceStatus: Sendable {
        struct State {
            var signals: DeviceSignals?
            var isStopReported = false
        }
        let state = Mutex(State())
    }

    /// - Parameters:
    ///   - socket: The connection, a stream.
    ///   - report: Gets a line for each error that did not end the connection.
    public init(
        _ device: any SeparableDevice, socket: consuming OwnedDescriptor, report: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        self.device = device
        channel = MessageChannel(socket)
        self.report = report
        let count = device.queueSizes.count
        vectors = CallVectors(count: count)
        rings = Array(repeating: Ring(), count: count)
        var workers: [RingWorker] = []
        for index in 0..<count {
            workers.append(
                try RingWorker { [status] in
                    let hasMore = device.serve(queue: index) == .moreWork
                    Self.reportStop(status, report)
                    return hasMore
                })
        }
        self.workers = workers
    }

    /// Starts the queues' threads. ``run()`` ends them.
    /// - Parameter prepare: Runs first on each of them.
    public func start(_ prepare: @escaping @Sendable () -> Void = {}) throws(SystemError) {
        for (index, worker) in workers.enumerated() {
            threads.append(
                WorkerThread(
                    try Thread(name: "queue.\(index)", stackSize: 256 << 10) {
                        prepare()
                        worker.run()
                    }))
        }
    }

    /// Serves the front-end until it closes the connection.
    public func run() throws(VhostUserError) {
        defer { close() }
        while let message = try channel.receive() {
            do throws(VhostUserError) { try handle(message) } catch {
                if message.wantsReply, acknowledges { try? channel.reply(to: message.request, Self.bytes(1 as UInt64)) }
                throw error
            }
        }
    }

    private func close() {
        for index in rings.indices { detach(index) }
        for worker in workers { worker.stop() }
        for thread in threads { thread.join() }
        threads = []
    }

    private static func reportStop(_ status: DeviceStatus, _ report: (String) -> Void) {
        let reason = status.state.withLock { state -> QueueError? in
            guard let signals = state.signals, signals.isStopped, !state.isStopReported else { return nil }
            state.isStopReported = true
            return signals.stopReasons.first
        }
        if let reason { report("the guest's driver broke the rules (\(reason)); it is served again after a reset") }
    }

    // MARK: - Messages

    private func handle(_ message: Message) throws(VhostUserError) {
        let request = message.request
        switch request {
        case .getFeatures:
            return try channel.reply(to: request, Self.bytes(offered))
        case .getProtocolFeatures: return try channel.reply(to: request, Self.bytes(ProtocolFeatures.offered))
        case .getQueueCount: return try channel.reply(to: request, Self.bytes(UInt64(rings.count)))
        case .getRingBase:
            let index = try ringIndex(message)
            detach(index)
            rings[index].kick = nil
            return try channel.reply(
                to: request, Self.bytes(UInt32(index)) + Self.bytes(UInt32(rings[index].base)))
        case .setFeatures:
            let wanted: UInt64 = message.word(at: 0)
            guard wanted & ~offered == 0 else { throw message.malformed("features that were not offered") }
            features = wanted
        case .setProtocolFeatures:
            let wanted: UInt64 = message.word(at: 0)
            guard wanted & ~ProtocolFeatures.offered == 0 else {
                throw message.malformed("protocol features that were not offered")
            }
            acknowledges = wanted & ProtocolFeatures.replyAcknowledge != 0
        case .setOwner, .resetOwner: break
        case .setMemoryTable: try setMemory(message)
        case .setRingSize, .setRingAddress, .setRingBase: try setRing(message)
        case .setRingKick, .setRingCall, .setRingError: try setDescriptor(message)
        case .setRingEnable: try setEnabled(message)
        }
        if message.wantsReply, acknowledges { try channel.reply(to: request, Self.bytes(0 as UInt64)) }
    }

    private var offered: UInt64 { device.features.rawValue | ProtocolFeatures.deviceFeature }

    private func ringIndex(_ message: Message) throws(VhostUserError) -> Int {
        let index = Int(message.word(UInt32.self, at: 0))
        guard rings.indices.contains(index) else { throw message.malformed("there is no queue \(index)") }
        return index
    }

    private func setMemory(_ message: Message) throws(VhostUserError) {
        let new = try MemoryTable(message, current: table)
        // The regions' addresses may change at any time; the memory behind attached rings may not.
        if rings.contains(where: \.isAttached), new.identity != table?.identity {
            throw message.malformed("other memory while queues are in use")
        }
        table = new
        for index in rings.indices { attach(index) }
    }

    private func setRing(_ message: Message) throws(VhostUserError) {
        let index = try ringIndex(message)
        guard !rings[index].isAttached else { throw message.malformed("queue \(index) is in use") }
        let number: UInt32 = message.word(at: 4)
        switch message.request {
        case .setRingSize:
            guard let size = UInt16(exactly: number), size > 0, size <= QueueLayout.sizeLimit, size & (size - 1) == 0
            else { throw message.malformed("a queue of \(number) entries") }
            rings[index].size = size
        case .setRingBase:
            guard let base = UInt16(exactly: number) else { throw message.malformed("a base of \(number)") }
            rings[index].base = base
        default:
            rings[index].descriptorTable = message.word(at: 8)
            rings[index].usedRing = message.word(at: 16)
            rings[index].availableRing = message.word(at: 24)
            rings[index].hasAddress = true
        }
    }

    private func setDescriptor(_ message: Message) throws(VhostUserError) {
        let value: UInt64 = message.word(at: 0)
        // Bit 8: there is none, and the ring is to be polled, or its front-end polls.
        let (index, isAbsent) = (Int(value & 0xff), value & 0x100 != 0)
        guard rings.indices.contains(index) else { throw message.malformed("there is no queue \(index)") }
        guard isAbsent == message.descriptors.isEmpty else { throw message.malformed("its descriptor is missing") }
        let descriptor = message.descriptors.first
        // Whatever it is, no thread of ours waits for it.
        try? descriptor?.value.setNonBlocking()
        switch message.request {
        case .setRingKick:
            guard descriptor != nil else { throw message.malformed("queues are not polled") }
            rings[index].kick = descriptor
            attach(index)
            if rings[index].isAttached { workers[index].setKick(descriptor) }
        case .setRingCall: vectors.set(descriptor, vector: index)
        default: break
        }
    }

    private func setEnabled(_ message: Message) throws(VhostUserError) {
        let index = try ringIndex(message)
        let number: UInt32 = message.word(at: 4)
        guard number <= 1 else { throw message.malformed("neither on nor off, but \(number)") }
        rings[index].isEnabled = number == 1
        if number == 1 { attach(index) } else { detach(index) }
    }

    // MARK: - Rings

    /// Gives the device a queue once everything is known about it.
    private func attach(_ index: Int) {
        guard let table, let features else { return }
        // Without the protocol's features rings are enabled from the start.
        if features & ProtocolFeatures.deviceFeature == 0 { rings[index].isEnabled = true }
        guard rings[index].isReady else { return }
        let accepted = VirtioFeatures(rawValue: features & ~ProtocolFeatures.deviceFeature)
        do throws(QueueError) {
            guard let layout = rings[index].layout(in: table) else { throw .invalidRing }
            let queue = try VirtQueue(layout, features: accepted, memory: table.memory, position: rings[index].base)
            device.attach(queue, at: index, signal: QueueSignal(signals(accepted), vector: UInt16(index)))
        } catch {
            return report("queue \(index) cannot be used: \(error)")
        }
        rings[index].isAttached = true
        workers[index].setKick(rings[index].kick)
    }

    /// The signals of the device's present life, which its first queue begins.
    private func signals(_ features: VirtioFeatures) -> DeviceSignals {
        if rings.contains(where: \.isAttached), let current = status.state.withLock({ $0.signals }) { return current }
        let new = DeviceSignals(vectors: vectors)
        device.start(features, signals: new)
        status.state.withLock { $0 = DeviceStatus.State(signals: new) }
        return new
    }

    private func detach(_ index: Int) {
        guard rings[index].isAttached else { return }
        workers[index].setKick(nil)
        // Where an error stopped the queue, nobody can go on.
        if let position = device.detach(queue: index) { rings[index].base = position }
        rings[index].isAttached = false
    }

    private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
    }
}

/// Lets an array hold threads. Used by one thread.
private final class WorkerThread {
    private var thread: Thread?
    init(_ thread: consuming Thread) { self.thread = consume thread }
    func join() { thread.take()?.join() }
}
