/// Feature bits (Virtio 1.2, sections 2.2 and 6). The devices name the bits of their types.
public struct VirtioFeatures: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    init(bit: Int) { rawValue = 1 << UInt64(bit) }

    /// One buffer may be a table of more descriptors.
    public static let ringIndirectDescriptors = Self(bit: 28)
    /// Each side gives an index from which on it wants to be notified.
    public static let ringEventIndex = Self(bit: 29)
    /// Not a transitional device. A driver that does not accept it is refused.
    public static let version1 = Self(bit: 32)
}
