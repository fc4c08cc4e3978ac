public import LinuxSystem

/// A device behind any transport: its features, its configuration fields, and what it does with its queues.
///
/// Thread safety: ``serve(queue:)`` and ``serve(descriptor:)`` run on device threads, each lane on one thread;
/// everything else comes from the transport, on vCPU threads, one call at a time. A device keeps each queue in a
/// ``QueueSlot``, whose lock is held while the queue is served: so ``reset()`` returns only when nothing is in flight
/// any longer.
public protocol VirtioDevice: AnyObject, Sendable {
    var kind: VirtioDeviceKind { get }
    /// What is offered to the driver.
    var features: VirtioFeatures { get }
    /// The largest size of each queue: powers of two.
    var queueSizes: [UInt16] { get }
    /// Queues of different lanes may be served by different threads.
    func lane(ofQueue index: Int) -> Int
    /// Descriptors besides the queues' notifications that give the device something to do.
    var descriptors: [DeviceDescriptor] { get }

    /// Reads 1, 2, 4 or 8 bytes of the configuration fields, little-endian; 0 behind their end.
    func readConfiguration(at offset: Int, count: Int) -> UInt64
    func writeConfiguration(_ value: UInt64, at offset: Int, count: Int)

    /// The driver is ready. Its queues follow by ``attach(_:at:signal:)``.
    func start(_ features: VirtioFeatures, signals: DeviceSignals)
    func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal)
    /// Gives up all queues and returns to the state before ``start(_:signals:)``.
    func reset()

    /// What it has done since it was made. Any thread may ask.
    var counters: [DeviceCounter] { get }
    /// Asks the driver for numbers that it alone knows; they are among the counters a little later, if it answers. Any
    /// thread may call it.
    func refreshCounters()

    /// Works on a queue, at most for a bounded number of chains.
    func serve(queue index: Int) -> ServiceOutcome
    /// Works on a descriptor of ``descriptors`` that became ready.
    func serve(descriptor index: Int) -> ServiceOutcome
}

/// A device whose queues can be taken away one by one, as a monitor does with a device in another process.
public protocol SeparableDevice: VirtioDevice {
    /// Gives up one queue, after what is in flight.
    /// - Returns: Where another may go on serving it; nil if there was no queue, or an error stopped it.
    func detach(queue index: Int) -> UInt16?
}

extension VirtioDevice {
    public func lane(ofQueue index: Int) -> Int { 0 }
    public var descriptors: [DeviceDescriptor] { [] }
    public func readConfiguration(at offset: Int, count: Int) -> UInt64 { 0 }
    public func writeConfiguration(_ value: UInt64, at offset: Int, count: Int) {}
    public var counters: [DeviceCounter] { [] }
    public func refreshCounters() {}
    public func serve(descriptor index: Int) -> ServiceOutcome { .done }
}

/// Whether a device has done all its work.
public enum ServiceOutcome: Sendable {
    case done
    /// It stopped to let others have their turn; serve it again.
    case moreWork
}

/// A descriptor that a device waits for, besides notifications of its queues.
public struct DeviceDescriptor: Sendable {
    public var descriptor: CInt
    /// The complete set of events for epoll(7). An edge-triggered device uses up what is ready, or remembers that some
    /// is left.
    public var interest: Poller.Interest
    public var lane: Int
    /// The queue to serve when ``VirtioDevice/serve(descriptor:)`` says that there is more work.
    public var queue: Int
}

/// What a device thread waits for, and then passes to the transport.
public struct WorkSource: Sendable {
    public var descriptor: CInt
    /// The complete set of events for epoll(7), with the flag for edge triggering if it is wanted.
    public var interest: Poller.Interest
    /// Sources of one lane belong to one thread; different lanes may have different threads.
    public var lane: Int
}

extension Poller.Interest {
    /// Reported once for each time that the descriptor becomes ready (EPOLLET).
    static let edgeTriggered = Self(rawValue: 1 << 31)
}
