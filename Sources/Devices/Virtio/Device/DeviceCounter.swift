/// One count of what a device has done.
public struct DeviceCounter: Equatable, Sendable {
    /// Such as `readBytes`.
    public var name: String
    public var value: UInt64

    public init(_ name: String, _ value: UInt64) {
        self.name = name
        self.value = value
    }
}
