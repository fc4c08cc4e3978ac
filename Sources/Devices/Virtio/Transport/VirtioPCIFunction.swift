public import GuestMemory
public import LinuxSystem
public import PCI
import Synchronization

/// A virtio device on the PCI bus: the modern interface with MSI-X and nothing older (Virtio 1.2, section 4.1).
///
/// Thread safety: registers come from vCPU threads, ``handle(source:)`` from device threads. The registers have a lock,
/// each queue has its own; a device thread never takes the registers' lock, so a reset may wait for it.
public final class VirtioPCIFunction: PCIFunction {
    public let device: any VirtioDevice
    public let signals: DeviceSignals
    private let memory: GuestMemory
    private let table: MSIXTable
    private let doorbells: (any DoorbellSink)?
    private let queueSignals: [QueueSignal]
    /// The queues' notifications.
    private let kicks: [Shared<EventDescriptor>]
    /// The device's descriptors, asked for once: no array is made for each event.
    private let descriptors: [DeviceDescriptor]
    private let initialSpace: ConfigurationSpace
    private let windowOffset: Int
    private let messageControlOffset: Int
    private let configuration: Mutex<ConfigurationSpace>
    private let registers: Mutex<CommonRegisters>
    private let placement = Mutex<UInt64?>(nil)

    /// - Parameters:
    ///   - interrupts: Delivers this device's vectors: ``vectorCount`` of them.
    ///   - doorbells: Learns where drivers notify the queues; nil if every notification arrives as a memory access.
    public init(
        _ device: any VirtioDevice, memory: GuestMemory, interrupts: any MessageInterruptSink,
        doorbells: (any DoorbellSink)? = nil
    ) throws(SystemError) {
        let sizes = device.queueSizes
        let table = MSIXTable(vectorCount: Self.vectorCount(for: device), sink: interrupts)
        let signals = DeviceSignals(vectors: table)
        var kicks: [Shared<EventDescriptor>] = []
        for _ in sizes { kicks.append(Shared(try EventDescriptor())) }
        let layout = TransportLayout.configurationSpace(for: device.kind, table: table)
        self.device = device
        self.memory = memory
        self.table = table
        self.signals = signals
        self.doorbells = doorbells
        self.kicks = kicks
        descriptors = device.descriptors
        queueSignals = sizes.map { _ in QueueSignal(signals) }
        initialSpace = layout.space
        windowOffset = layout.window
        messageControlOffset = layout.messageControl
        configuration = Mutex(layout.space)
        registers = Mutex(CommonRegisters(offered: device.features, queueSizes: sizes))
    }

    /// One vector for each queue, and one for changes of the configuration.
    public static func vectorCount(for device: any VirtioDevice) -> Int {
        min(device.queueSizes.count + 1, MSIXTable.vectorLimit)
    }

    // MARK: Work

    /// What device threads wait for; the index of a source is its name in ``handle(source:)``.
    public var sources: [WorkSource] {
        let queues = kicks.enumerated().map { index, kick in
            WorkSource(
                descriptor: kick.value.descriptor.rawValue, interest: .readable, lane: device.lane(ofQueue: index))
        }
        let others = descriptors.map { other in
            WorkSource(descriptor: other.descriptor, interest: other.interest, lane: other.lane)
        }
        return queues + others
    }

    /// Does the work of a source that became ready; bounded, so that other sources of the thread get their turn.
    public func handle(source index: Int) {
        if kicks.indices.contains(index) {
            kicks[index].value.take()
            serve(queue: index)
            return
        }
        let other = index - kicks.count
        guard descriptors.indices.contains(other) else { return }
        if device.serve(descriptor: other) == .moreWork { kick(descriptors[other].queue) }
    }

    private func serve(queue index: Int) {
        if device.serve(queue: index) == .moreWork { kick(index) }
    }

    private func kick(_ index: Int) {
        guard kicks.indices.contains(index) else { return }
        kicks[index].value.signal()
    }

    // MARK: Configuration space

    public func readConfiguration(at offset: Int, count: Int) -> UInt32 {
        let data = windowOffset + TransportLayout.Window.data
        if offset >= data, offset < data + 4 { loadWindow() }
        return configuration.withLock { $0.read(at: offset, count: count) }
    }

    public func writeConfiguration(_ value: UInt32, at offset: Int, count: Int) -> PCIConfigurationEffect {
        let (effect, control) = configuration.withLock { space in
            (space.write(value, at: offset, count: count), space.read(at: messageControlOffset, count: 2))
        }
        if offset < messageControlOffset + 2, offset + count > messageControlOffset {
            table.setControl(UInt16(truncatingIfNeeded: control))
        }
        let data = windowOffset + TransportLayout.Window.data
        if offset >= data, offset < data + 4 { storeWindow() }
        return effect
    }

    /// The access that the window in configuration space describes (section 4.1.4.9): for firmware that cannot reach
    /// the memory behind a base address register.
    private var windowTarget: (offset: UInt64, count: Int)? {
        let (bar, offset, length) = configuration.withLock { space in
            (
                space.read(at: windowOffset + TransportLayout.Window.bar, count: 1),
                space.read(at: windowOffset + TransportLayout.Window.offset, count: 4),
                space.read(at: windowOffset + TransportLayout.Window.length, count: 4)
            )
        }
        guard bar == TransportLayout.bar, [1, 2, 4].contains(length), offset % length == 0,
            UInt64(offset) < TransportLayout.byteCount
        else { return nil }
        return (UInt64(offset), Int(length))
    }

    private func loadWindow() {
        guard let (offset, count) = windowTarget else { return }
        let value = UInt32(truncatingIfNeeded: readMemory(bar: TransportLayout.bar, offset: offset, count: count))
        configuration.withLock { $0.set(value, at: windowOffset + TransportLayout.Window.data) }
    }

    private func storeWindow() {
        guard let (offset, count) = windowTarget else { return }
        let value = configuration.withLock { $0.read(at: windowOffset + TransportLayout.Window.data, count: count) }
        writeMemory(UInt64(value), bar: TransportLayout.bar, offset: offset, count: count)
    }

    public var memoryWindows: [PCIMemoryWindow] { configuration.withLock { $0.memoryWindows } }
    public var decodesMemory: Bool { configuration.withLock { $0.decodesMemory } }
    public func assignAddress(_ address: UInt64, bar: Int) {
        configuration.withLock { $0.assignAddress(address, bar: bar) }
    }

    public func windowMoved(bar: Int, to address: UInt64?) {
        let old = placement.withLock { place in
            let old = place
            place = address
            return old
        }
        guard let doorbells, old != address else { return }
        for (index, kick) in kicks.enumerated() {
            let offset = TransportLayout.doorbell(ofQueue: index)
            doorbells.moveDoorbell(
                queue: index, descriptor: kick.value.descriptor.rawValue, from: old.map { $0 + offset },
                to: address.map { $0 + offset })
        }
    }

    public func reset() {
        registers.withLock { resetDevice(&$0) }
        table.reset()
        let windows = memoryWindows
        configuration.withLock { space in
            space = initialSpace
            for window in windows { space.assignAddress(window.address, bar: window.bar) }
        }
    }

    // MARK: Memory

    public func readMemory(bar: Int, offset: UInt64, count: Int) -> UInt64 {
        switch offset {
        case TransportLayout.common: readCommon(at: Int(offset), count: count)
        case TransportLayout.interruptStatus:
            // Reading acknowledges.
            UInt64(signals.interruptStatus.exchange(0, ordering: .acquiringAndReleasing))
        case TransportLayout.device:
            device.readConfiguration(at: Int(offset - TransportLayout.device.lowerBound), count: count)
        case TransportLayout.vectorTable:
            table.readTable(at: offset - TransportLayout.vectorTable.lowerBound, count: count)
        case TransportLayout.pendingBits:
            table.readPending(at: offset - TransportLayout.pendingBits.lowerBound, count: count)
        default: 0
        }
    }

    public func writeMemory(_ value: UInt64, bar: Int, offset: UInt64, count: Int) {
        switch offset {
        case TransportLayout.common: writeCommon(value, at: Int(offset), count: count)
        case TransportLayout.device:
            device.writeConfiguration(value, at: Int(offset - TransportLayout.device.lowerBound), count: count)
        case TransportLayout.notification:
            let distance = offset - TransportLayout.notification.lowerBound
            let step = UInt64(TransportLayout.notificationMultiplier)
            if distance % step == 0 { kick(Int(distance / step)) }
        case TransportLayout.vectorTable:
            table.writeTable(value, at: offset - TransportLayout.vectorTable.lowerBound, count: count)
        default: break
        }
    }

    private func readCommon(at offset: Int, count: Int) -> UInt64 {
        registers.withLock { registers in
            switch (offset, count) {
            case (CommonRegisters.Field.configurationVector, 2):
                return UInt64(signals.configurationVector.load(ordering: .relaxed))
            case (CommonRegisters.Field.queueVector, 2):
                guard let queue = registers.selectedQueue else { return UInt64(DeviceSignals.noVector) }
                return UInt64(queueSignals[queue].vector.load(ordering: .relaxed))
            case (CommonRegisters.Field.configurationGeneration, 1):
                return UInt64(signals.generation.load(ordering: .acquiring))
            case (CommonRegisters.Field.deviceStatus, 1):
                let needsReset = signals.isStopped ? CommonRegisters.Status.needsReset.rawValue : 0
                return UInt64(registers.status.rawValue | needsReset)
            default: return registers.read(at: offset, count: count)
            }
        }
    }

    private func writeCommon(_ value: UInt64, at offset: Int, count: Int) {
        registers.withLock { registers in
            switch registers.write(value, at: offset, count: count) {
            case .none: break
            case .reset: resetDevice(&registers)
            case .activate: activate(registers)
            case .setConfigurationVector(let vector):
                signals.configurationVector.store(usable(vector), ordering: .relaxed)
            case .setQueueVector(let queue, let vector):
                queueSignals[queue].vector.store(usable(vector), ordering: .relaxed)
            }
        }
    }

    /// A driver reads back "no vector" if the one it asked for does not exist.
    private func usable(_ vector: UInt16) -> UInt16 {
        Int(vector) < table.vectorCount ? vector : DeviceSignals.noVector
    }

    private func activate(_ registers: borrowing CommonRegisters) {
        device.start(registers.accepted, signals: signals)
        for (index, queue) in registers.queues.enumerated() where queue.isEnabled {
            do throws(QueueError) {
                let ready = try VirtQueue(queue.layout, features: registers.accepted, memory: memory)
                device.attach(ready, at: index, signal: queueSignals[index])
            } catch {
                signals.stop(because: error)
                return
            }
        }
        // A driver may have filled queues, and notified, before it was ready.
        for index in kicks.indices { kick(index) }
    }

    private func resetDevice(_ registers: inout CommonRegisters) {
        device.reset()
        signals.reset()
        for signal in queueSignals { signal.vector.store(DeviceSignals.noVector, ordering: .relaxed) }
        registers = CommonRegisters(offered: device.features, queueSizes: device.queueSizes)
    }
}
