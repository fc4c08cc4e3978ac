/// Feature bits (Virtio 1.2, sections 2.2 and 6). Bits of device types are named by the devices.
public struct VirtioFeatures: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    init(bit: Int) { rawValue = 1 << UInt64(bit) }

    /// One buffer may be a table of more descriptors.
    public static let ringIndirectDescriptors = Self(bit: 28)
    /// Both sides say by an index from when on they want to be woken.
    public static let ringEventIndex = Self(bit: 29)
    /// Not a transitional device. A driver that does not accept it is refused.
    public static let version1 = Self(bit: 32)
}
