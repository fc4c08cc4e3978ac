/// The common configuration of a virtio PCI device (Virtio 1.2, section 4.1.4.3), as pure state.
struct CommonRegisters {
    /// Offsets, in bytes.
    enum Field {
        static let deviceFeatureSelect = 0x00
        static let deviceFeature = 0x04
        static let driverFeatureSelect = 0x08
        static let driverFeature = 0x0c
        static let configurationVector = 0x10
        static let queueCount = 0x12
        static let deviceStatus = 0x14
        static let configurationGeneration = 0x15
        static let queueSelect = 0x16
        static let queueSize = 0x18
        static let queueVector = 0x1a
        static let queueEnable = 0x1c
        static let queueNotifyOffset = 0x1e
        static let queueDescriptors = 0x20
        static let queueAvailable = 0x28
        static let queueUsed = 0x30
        static let end = 0x38
    }

    struct Status: OptionSet {
        let rawValue: UInt8
        static let acknowledge = Self(rawValue: 1)
        static let driver = Self(rawValue: 2)
        static let driverReady = Self(rawValue: 4)
        static let featuresAccepted = Self(rawValue: 8)
        static let needsReset = Self(rawValue: 64)
        static let failed = Self(rawValue: 128)
        /// What a driver may set.
        static let drivers: Self = [.acknowledge, .driver, .driverReady, .featuresAccepted, .failed]
    }

    struct Queue {
        var layout: QueueLayout
        var isEnabled = false
    }

    /// What a write asks of the device, beyond a change of these registers.
    enum Action: Equatable {
        case none
        case reset
        case activate
        case setConfigurationVector(UInt16)
        case setQueueVector(queue: Int, UInt16)
    }

    let offered: VirtioFeatures
    let queueSizes: [UInt16]
    var accepted: VirtioFeatures = []
    var status: Status = []
    var queues: [Queue]
    private var deviceFeatureSelect: UInt32 = 0
    private var driverFeatureSelect: UInt32 = 0
    private var queueSelect: UInt16 = 0

    init(offered: VirtioFeatures, queueSizes: [UInt16]) {
        self.offered = offered
        self.queueSizes = queueSizes
        queues = queueSizes.map {
            Queue(layout: QueueLayout(size: $0, descriptorTable: 0, availableRing: 0, usedRing: 0))
        }
    }

    /// The queue that the driver selected; nil if it does not exist.
    var selectedQueue: Int? { queues.indices.contains(Int(queueSelect)) ? Int(queueSelect) : nil }

    private var mayConfigureQueue: Bool { status.contains(.featuresAccepted) && !status.contains(.driverReady) }

    /// Reads a whole field, or half of one of 8 bytes; 0 for anything else.
    ///
    /// Vectors, the generation and DEVICE_NEEDS_RESET live outside; the caller puts them in.
    func read(at offset: Int, count: Int) -> UInt64 {
        let queue = selectedQueue.map { queues[$0] }
        switch (offset, count) {
        case (Field.deviceFeatureSelect, 4): return UInt64(deviceFeatureSelect)
        case (Field.deviceFeature, 4): return Self.word(deviceFeatureSelect, of: offered)
        case (Field.driverFeatureSelect, 4): return UInt64(driverFeatureSelect)
        case (Field.driverFeature, 4): return Self.word(driverFeatureSelect, of: accepted)
        case (Field.queueCount, 2): return UInt64(queues.count)
        case (Field.deviceStatus, 1): return UInt64(status.rawValue)
        case (Field.queueSelect, 2): return UInt64(queueSelect)
        case (Field.queueSize, 2): return UInt64(queue?.layout.size ?? 0)
        case (Field.queueEnable, 2): return queue?.isEnabled == true ? 1 : 0
        case (Field.queueNotifyOffset, 2): return queue == nil ? 0 : UInt64(queueSelect)
        case (Field.queueDescriptors..<Field.end, 4), (Field.queueDescriptors..<Field.end, 8):
            guard let queue, offset % count == 0 else { return 0 }
            let address = [queue.layout.descriptorTable, queue.layout.availableRing, queue.layout.usedRing][
                (offset - Field.queueDescriptors) / 8]
            return count == 8 ? address : address >> (offset % 8 == 0 ? 0 : 32) & 0xffff_ffff
        default: return 0
        }
    }

    /// Writes a field, with the same limits; what is read-only, or not to be written in this state, stays as it is.
    mutating func write(_ value: UInt64, at offset: Int, count: Int) -> Action {
        switch (offset, count) {
        case (Field.deviceFeatureSelect, 4): deviceFeatureSelect = UInt32(truncatingIfNeeded: value)
        case (Field.driverFeatureSelect, 4): driverFeatureSelect = UInt32(truncatingIfNeeded: value)
        case (Field.driverFeature, 4): accept(UInt32(truncatingIfNeeded: value))
        case (Field.configurationVector, 2): return .setConfigurationVector(UInt16(truncatingIfNeeded: value))
        case (Field.deviceStatus, 1): return writeStatus(Status(rawValue: UInt8(truncatingIfNeeded: value)))
        case (Field.queueSelect, 2): queueSelect = UInt16(truncatingIfNeeded: value)
        case (Field.queueVector, 2):
            guard let selectedQueue else { return .none }
            return .setQueueVector(queue: selectedQueue, UInt16(truncatingIfNeeded: value))
        case (Field.queueSize, 2), (Field.queueEnable, 2), (Field.queueDescriptors..<Field.end, 4),
            (Field.queueDescriptors..<Field.end, 8):
            if let selectedQueue, mayConfigureQueue { configure(selectedQueue, value, offset, count) }
        default: break
        }
        return .none
    }

    private mutating func accept(_ word: UInt32) {
        guard !status.contains(.featuresAccepted), driverFeatureSelect < 2 else { return }
        let shift = UInt64(32 * driverFeatureSelect)
        let others = accepted.rawValue & ~(0xffff_ffff << shift)
        accepted = VirtioFeatures(rawValue: others | UInt64(word) << shift).intersection(offered)
    }

    private mutating func writeStatus(_ value: Status) -> Action {
        guard value.rawValue != 0 else { return .reset }
        var added = value.intersection(.drivers).subtracting(status)
        // A driver that reads the bit back as 0 knows that it was refused (section 3.1.1, step 6).
        if !accepted.contains(.version1) { added.remove(.featuresAccepted) }
        if !status.union(added).contains(.featuresAccepted) { added.remove(.driverReady) }
        status.formUnion(added)
        return added.contains(.driverReady) ? .activate : .none
    }

    private mutating func configure(_ index: Int, _ value: UInt64, _ offset: Int, _ count: Int) {
        guard !queues[index].isEnabled else { return }
        switch offset {
        case Field.queueSize:
            let size = UInt16(truncatingIfNeeded: value)
            var layout = queues[index].layout
            layout.size = size
            if layout.hasValidSize, size <= queueSizes[index] { queues[index].layout = layout }
        case Field.queueEnable: queues[index].isEnabled = value == 1
        default:
            guard offset % count == 0 else { return }
            let ring = (offset - Field.queueDescriptors) / 8
            let path = [\QueueLayout.descriptorTable, \.availableRing, \.usedRing][ring]
            let old = queues[index].layout[keyPath: path]
            let new: UInt64
            switch (count, offset % 8) {
            case (8, _): new = value
            case (_, 0): new = old & ~0xffff_ffff | value & 0xffff_ffff
            default: new = old & 0xffff_ffff | value << 32
            }
            queues[index].layout[keyPath: path] = new
        }
    }

    private static func word(_ select: UInt32, of features: VirtioFeatures) -> UInt64 {
        select < 2 ? features.rawValue >> UInt64(32 * select) & 0xffff_ffff : 0
    }
}
