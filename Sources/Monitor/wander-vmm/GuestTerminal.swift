import LinuxSystem

/// The monitor's end of the guest's virtio console. The guest never waits for it. While nobody is attached, it keeps as
/// much of the output as fits, so that the next one who attaches sees a login prompt.
final class GuestTerminal {
    /// In bytes.
    private static let historyLimit = 4 << 10

    private let descriptor: OwnedDescriptor
    private(set) var history: [UInt8] = []

    init(_ descriptor: consuming OwnedDescriptor) throws(SystemError) {
        try descriptor.setNonBlocking()
        self.descriptor = descriptor
    }

    var rawDescriptor: CInt { descriptor.rawValue }

    /// What the guest printed since the last call, bounded; there may be more.
    func receive() -> [UInt8] {
        guard let bytes = try? descriptor.read(upTo: 16 << 10) else { return [] }
        history += bytes
        if history.count > Self.historyLimit { history.removeFirst(history.count - Self.historyLimit) }
        return bytes
    }

    /// - Returns: How many bytes found room; the guest reads them when it likes.
    func send(_ bytes: ArraySlice<UInt8>) -> Int { (try? descriptor.write(upTo: bytes)) ?? 0 }
}
