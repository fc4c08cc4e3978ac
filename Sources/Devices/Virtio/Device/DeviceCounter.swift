/// One count of what a device has done.
public struct DeviceCounter: Equatable, Sendable {
    /// The count's name, such as `readBytes`.
    public var name: String
    public var value: UInt64

    public init(_ name: String, _ value: UInt64) {
        self.name = name
        self.value = value
    }
}
