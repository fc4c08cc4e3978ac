/// What a front-end asks for (QEMU 7.2, docs/interop/vhost-user.rst, "Front-end message types"). Others belong to
/// features that this back-end does not offer.
enum FrontEndRequest: UInt32 {
    case getFeatures = 1
    case setFeatures = 2
    case setOwner = 3
    case resetOwner = 4
    case setMemoryTable = 5
    case setRingSize = 8
    case setRingAddress = 9
    case setRingBase = 10
    case getRingBase = 11
    case setRingKick = 12
    case setRingCall = 13
    case setRingError = 14
    case getProtocolFeatures = 15
    case setProtocolFeatures = 16
    case getQueueCount = 17
    case setRingEnable = 18

    /// How long the payload is, in bytes.
    var payloadByteCounts: ClosedRange<Int> {
        switch self {
        case .getFeatures, .setOwner, .resetOwner, .getProtocolFeatures, .getQueueCount: 0...0
        case .setFeatures, .setProtocolFeatures, .setRingKick, .setRingCall, .setRingError: 8...8
        case .setRingSize, .setRingBase, .getRingBase, .setRingEnable: 8...8
        case .setRingAddress: 40...40
        case .setMemoryTable:
            8 + MemoryTable.regionByteCount...8 + MemoryTable.regionLimit * MemoryTable.regionByteCount
        }
    }

    /// How many descriptors may come with it.
    var descriptorLimit: Int {
        switch self {
        case .setMemoryTable: MemoryTable.regionLimit
        case .setRingKick, .setRingCall, .setRingError: 1
        default: 0
        }
    }
}

/// The bits of a message's flags.
enum MessageFlags {
    static let versionMask: UInt32 = 3
    static let version: UInt32 = 1
    static let reply: UInt32 = 1 << 2
    /// The front-end waits to hear whether the message was carried out, if that was negotiated.
    static let needsReply: UInt32 = 1 << 3
}

/// Features of the protocol itself, besides the device's.
enum ProtocolFeatures {
    /// Among the device's features: that there are any others.
    static let deviceFeature: UInt64 = 1 << 30
    /// Several queues, whose number can be asked for.
    static let multipleQueues: UInt64 = 1 << 0
    static let replyAcknowledge: UInt64 = 1 << 3
    static let offered = multipleQueues | replyAcknowledge
}
