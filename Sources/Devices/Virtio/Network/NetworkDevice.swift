public import LinuxSystem
public import NetworkAddress
import Synchronization

/// virtio-net (Virtio 1.2, section 5.1) over a stream socket of Ethernet frames, each after its length in four bytes,
/// big-endian (as QEMU's `-netdev stream` sends them).
///
/// The guest leaves checksums to the device and need not check what it gets; frames may be as large as the MTU of
/// 65520, which stands in for segmentation offloads. Receiving and sending may have a thread each.
public final class NetworkDevice: VirtioDevice {
    public static let largestMTU = UInt16(EthernetFrame.largestPacket)
    static let queueSize: UInt16 = 1024
    /// Frames before others get their turn.
    static let batchLimit = 256

    enum Feature {
        static let checksum = VirtioFeatures(bit: 0)
        static let guestChecksum = VirtioFeatures(bit: 1)
        static let mtu = VirtioFeatures(bit: 3)
        static let macAddress = VirtioFeatures(bit: 5)
        static let mergeableBuffers = VirtioFeatures(bit: 15)
        static let status = VirtioFeatures(bit: 16)
    }
    enum Queue {
        static let receive = 0
        static let transmit = 1
    }
    /// Offset of the field whose bit 0 says that the link is up.
    static let statusOffset = 6

    struct Receiver: ~Copyable {
        var frames = FrameBuffer()
        var features: VirtioFeatures = []
    }
    struct Transmitter: ~Copyable {
        var frames = FrameBuffer()
    }

    /// The frames that passed and that were dropped since the machine's start.
    public struct Statistics: Equatable, Sendable {
        public var receivedFrames = 0
        public var receivedBytes = 0
        public var sentFrames = 0
        public var sentBytes = 0
        /// Frames that do not fit into the driver's buffers, or are not valid.
        public var droppedFrames = 0

        mutating func add(_ other: Statistics) {
            receivedFrames &+= other.receivedFrames
            receivedBytes &+= other.receivedBytes
            sentFrames &+= other.sentFrames
            sentBytes &+= other.sentBytes
            droppedFrames &+= other.droppedFrames
        }
    }

    /// Two descriptors of one connection, so that one thread may watch for both directions apart.
    let input: OwnedDescriptor
    let output: OwnedDescriptor
    let inputWatch: SocketWatch
    let outputWatch: SocketWatch
    let reconnect: (@Sendable () -> OwnedDescriptor?)?
    let receiver = QueueSlot(Receiver())
    let transmitter = QueueSlot(Transmitter())
    let fields: Mutex<ConfigurationFields>
    let signals = Mutex<DeviceSignals?>(nil)
    let linkIsUp = Atomic<Bool>(true)
    private let statisticsLock = Mutex(Statistics())

    /// - Parameters:
    ///   - socket: A connected stream socket.
    ///   - mtu: 68 to ``largestMTU``, in bytes; what the network behind the socket takes.
    ///   - reconnect: Makes a new connection after the peer has closed this one; returns nil if it cannot do so yet. It
    ///     is called on a thread of its own until it succeeds. Without it, the link stays down.
    public init(
        socket: consuming OwnedDescriptor, macAddress: MACAddress, mtu: UInt16 = NetworkDevice.largestMTU,
        reconnect: (@Sendable () -> OwnedDescriptor?)? = nil
    ) throws(SystemError) {
        output = try socket.duplicate()
        input = socket
        inputWatch = try SocketWatch()
        outputWatch = try SocketWatch()
        inputWatch.watch(input.rawValue, for: .readable)
        outputWatch.watch(output.rawValue, for: .writable)
        self.reconnect = reconnect
        var fields = ConfigurationFields(byteCount: 12)
        fields.set(macAddress.bytes, at: 0)
        fields.set(UInt16(1), at: Self.statusOffset)
        fields.set(UInt16(1), at: 8)
        fields.set(min(max(mtu, 68), Self.largestMTU), at: 10)
        self.fields = Mutex(fields)
    }

    public var kind: VirtioDeviceKind { .network }
    public var features: VirtioFeatures {
        [
            .version1, .ringEventIndex, Feature.checksum, Feature.guestChecksum, Feature.mtu, Feature.macAddress,
            Feature.mergeableBuffers, Feature.status,
        ]
    }
    public var queueSizes: [UInt16] { [Self.queueSize, Self.queueSize] }
    public func lane(ofQueue index: Int) -> Int { index }
    public var descriptors: [DeviceDescriptor] {
        [
            DeviceDescriptor(descriptor: inputWatch.rawDescriptor, interest: .readable, lane: 0, queue: Queue.receive),
            DeviceDescriptor(
                descriptor: outputWatch.rawDescriptor, interest: .readable, lane: 1, queue: Queue.transmit),
        ]
    }
    public var statistics: Statistics { statisticsLock.withLock { $0 } }
    public var counters: [DeviceCounter] {
        let counts = statistics
        return [
            DeviceCounter("receivedFrames", UInt64(counts.receivedFrames)),
            DeviceCounter("receivedBytes", UInt64(counts.receivedBytes)),
            DeviceCounter("sentFrames", UInt64(counts.sentFrames)),
            DeviceCounter("sentBytes", UInt64(counts.sentBytes)),
            DeviceCounter("droppedFrames", UInt64(counts.droppedFrames)),
        ]
    }
    /// Whether the peer is connected.
    public var isConnected: Bool { linkIsUp.load(ordering: .relaxed) }

    public func readConfiguration(at offset: Int, count: Int) -> UInt64 {
        fields.withLock { $0.load(at: offset, count: count) }
    }

    public func start(_ features: VirtioFeatures, signals: DeviceSignals) {
        self.signals.withLock { $0 = signals }
        receiver.configure { $0.features = features }
    }

    public func attach(_ queue: consuming VirtQueue, at index: Int, signal: QueueSignal) {
        switch index {
        case Queue.receive: receiver.attach(queue, signal: signal)
        case Queue.transmit: transmitter.attach(queue, signal: signal)
        default: break
        }
    }

    /// Half-transferred frames stay: the stream would lose its framing without them.
    public func reset() {
        receiver.detach()
        transmitter.detach()
        signals.withLock { $0 = nil }
    }

    public func serve(queue index: Int) -> ServiceOutcome { index == Queue.receive ? receive() : transmit() }
    public func serve(descriptor index: Int) -> ServiceOutcome {
        if index == Queue.receive {
            inputWatch.drain()
            return receive()
        }
        outputWatch.drain()
        return transmit()
    }

    private func receive() -> ServiceOutcome {
        receiver.serve { queue, state, _ throws(QueueError) in
            try receive(&queue, &state.frames, features: state.features, from: input.rawValue)
        }
    }

    private func transmit() -> ServiceOutcome {
        transmitter.serve { queue, state, _ throws(QueueError) in
            try transmit(&queue, &state.frames, to: output.rawValue)
        }
    }

    func count(_ change: (inout Statistics) -> Void) { statisticsLock.withLock { change(&$0) } }
}
