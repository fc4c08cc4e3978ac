import LinuxSystem

/// A descriptor that its holder may close before the holder itself ends.
final class HeldDescriptor {
    let descriptor: OwnedDescriptor
    private let account: DescriptorAccount?

    /// - Parameter account: Where it counts until it is closed; nil for what no guest and no client brings about.
    init(_ descriptor: consuming OwnedDescriptor, countedBy account: DescriptorAccount? = nil) {
        self.descriptor = descriptor
        self.account = account
        account?.open += 1
    }
    deinit { account?.open -= 1 }

    var rawValue: CInt { descriptor.rawValue }
}
