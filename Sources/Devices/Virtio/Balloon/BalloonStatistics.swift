/// A guest's report about its memory (Virtio 1.2, section 5.5.6.3); a value that it did not give is nil.
public struct BalloonStatistics: Equatable, Sendable {
    /// All in bytes, except for the two counts of faults.
    public internal(set) var swappedIn: UInt64?
    public internal(set) var swappedOut: UInt64?
    public internal(set) var majorFaults: UInt64?
    public internal(set) var minorFaults: UInt64?
    public internal(set) var free: UInt64?
    public internal(set) var total: UInt64?
    /// The memory that programs could get without swapping.
    public internal(set) var available: UInt64?
    /// Memory that holds copies of files, which the guest frees when it needs it.
    public internal(set) var caches: UInt64?

    /// Tag and value, packed.
    static let entryByteCount = 10
    /// More entries than there are tags say nothing new.
    static let entryLimit = 32

    mutating func set(tag: UInt16, value: UInt64) {
        switch tag {
        case 0: swappedIn = value
        case 1: swappedOut = value
        case 2: majorFaults = value
        case 3: minorFaults = value
        case 4: free = value
        case 5: total = value
        case 6: available = value
        case 7: caches = value
        default: break
        }
    }
}
