import LinuxSystem

/// A descriptor that its holder may close before the holder itself ends.
final class HeldDescriptor {
    let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    var rawValue: CInt { descriptor.rawValue }
}
