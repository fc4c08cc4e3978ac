/// Lets a value that has one owner be in an array or a tuple, or in several hands: it ends when the last of them lets
/// go.
public final class Shared<Value: ~Copyable> {
    public let value: Value

    public init(_ value: consuming Value) { self.value = value }
}

extension Shared: Sendable where Value: Sendable & ~Copyable {}

/// A descriptor that is closed when the last of those who share it lets go.
public typealias SharedDescriptor = Shared<OwnedDescriptor>

extension Shared where Value == OwnedDescriptor {
    public var rawValue: CInt { value.rawValue }
}
