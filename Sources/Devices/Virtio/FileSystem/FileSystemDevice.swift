import CLinux
import DiskImage
import FUSE
public import LinuxSystem
import Synchronization
public import SystemPackage

/// virtio-fs (Virtio 1.2, section 5.11): a folder of the host, which the guest mounts by its tag. Each queue may have
/// its own thread.
///
/// Queue 0 is for requests that must not wait for others (section 5.11.2); all queues are served alike.
public final class FileSystemDevice: SeparableDevice {
    /// Room for the segments of 1 MiB, the most that a request carries, with its headers.
    static let queueSize: UInt16 = 512
    static let tagByteCount = 36
    /// Requests served before others get their turn.
    static let batchLimit = 64

    private let server: FileSystemServer
    private let slots: [QueueSlot<Void>]
    private let fields: ConfigurationFields
    private let requests = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - folder: The folder. It is opened here, and never again by its name.
    ///   - tag: The folder's name for the guest; its first 36 bytes count.
    ///   - queueCount: The number of queues for requests; 1 to 16.
    ///   - openFileLimit: How many files of the folder may be open at once; nil for what the process may open.
    public init(
        folder: FilePath, tag: String, isReadOnly: Bool, queueCount: Int, openFileLimit: Int? = nil
    ) throws(SystemError) {
        let opened = try OwnedDescriptor.open(folder, [.readOnly, .directory])
        var options = FileSystemServer.Options()
        options.isReadOnly = isReadOnly
        options.descriptorLimit = openFileLimit
        server = try FileSystemServer(folder: opened, options: options)
        let count = min(max(queueCount, 1), 16)
        slots = (0...count).map { _ in QueueSlot(()) }
        var fields = ConfigurationFields(byteCount: Self.tagByteCount + 4)
        fields.set(Array(tag.utf8.prefix(Self.tagByteCount)), at: 0)
        fields.set(UInt32(count), at: Self.tagByteCount)
        self.fields = fields
    }

    /// The numbers of the system calls that serving a folder needs.
    public static var systemCalls: [Int] { FileSystemServer.systemCalls }
    /// Conditions on the arguments of some of them: ``FileSystemServer/conditions``.
    public static var conditions: [Int: ArgumentCondition] { FileSystemServer.conditions }

    public var kind: VirtioDeviceKind { .fileSystem }
    public var features: VirtioFeatures { [.version1, .ringEventIndex, .ringIndirectDescriptors] }
    public var queueSizes: [UInt16] { slots.map { _ in Self.queueSize } }
    public func lane(ofQueue index: Int) -> Int { index }
    public func readConfiguration(at offset: Int, count: Int) -> UInt64 { fields.load(at: offset, count: count) }
    public var counters: [DeviceCounter] { [DeviceCounter("requests", requests.load(ordering: .relaxed))] }

    public func start(_ features: VirtioFeatures, signals: DeviceSignals) {}

    public func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        guard slots.indices.contains(index) else { return }
        slots[index].attach(queue, signal: signal)
    }

    /// Takes one queue away and keeps what the guest has open, since its machine may only be paused.
    public func detach(queue index: Int) -> UInt16? {
        guard slots.indices.contains(index) else { return nil }
        return slots[index].detach()
    }

    public func reset() {
        for slot in slots { slot.detach() }
        server.reset()
    }

    public func serve(queue index: Int) -> ServiceOutcome {
        guard slots.indices.contains(index) else { return .done }
        return slots[index].serveRequests(limit: Self.batchLimit, tellsEach: true) { chain in serve(chain) }
    }

    /// Serves one request.
    /// - Returns: How many bytes the reply has.
    private func serve(_ chain: borrowing DescriptorChain) -> Int {
        requests.add(1, ordering: .relaxed)
        let (request, reply) = unsafe (chain.readableSegments, chain.writableSegments)
        // SAFETY: a segment is laid out as C's `struct iovec`, and the chain keeps all of them in guest RAM.
        return unsafe request.withMemoryRebound(to: iovec.self) { request in
            unsafe reply.withMemoryRebound(to: iovec.self) { reply in
                var exchange = unsafe SegmentedExchange(request: request, reply: reply)
                return server.serve(&exchange)
            }
        }
    }
}
