import PCI

/// Where the parts of a virtio PCI device are in its one base address register (Virtio 1.2, section 4.1.4).
enum TransportLayout {
    static let bar = 0
    /// In bytes, as is everything here.
    static let byteCount: UInt64 = 0x10000
    static let common: Range<UInt64> = 0..<0x38
    static let interruptStatus: Range<UInt64> = 0x1000..<0x1001
    static let device: Range<UInt64> = 0x2000..<0x3000
    static let notification: Range<UInt64> = 0x3000..<0x4000
    static let vectorTable: Range<UInt64> = 0x8000..<0x8400
    static let pendingBits: Range<UInt64> = 0x9000..<0x9008
    /// Between the addresses of two queues.
    static let notificationMultiplier: UInt32 = 4

    static func doorbell(ofQueue index: Int) -> UInt64 {
        notification.lowerBound + UInt64(index) * UInt64(notificationMultiplier)
    }

    /// Where the window in configuration space is (VIRTIO_PCI_CAP_PCI_CFG), relative to its capability.
    enum Window {
        static let bar = 4
        static let offset = 8
        static let length = 12
        static let data = 16
    }

    /// A configuration space with all capabilities.
    /// - Returns: Also the offsets of the window's capability and of MSI-X's.
    static func configurationSpace(
        for kind: VirtioDeviceKind, table: MSIXTable
    ) -> (space: ConfigurationSpace, window: Int, messageControl: Int) {
        let device = 0x1040 + kind.rawValue
        var space = ConfigurationSpace(
            vendor: 0x1af4, device: device, revision: 1, classCode: kind.classCode, subsystemVendor: 0x1af4,
            subsystem: device)
        space.addMemoryBAR(bar, size: byteCount)
        let parts: [(type: UInt8, range: Range<UInt64>, extra: [UInt8])] = [
            (1, common, []),
            (2, notification, bytes(notificationMultiplier)),
            (3, interruptStatus, []),
            (4, self.device, []),
        ]
        for part in parts {
            let body = capability(part.type, part.range, part.extra)
            _ = space.addCapability(identifier: vendorSpecific, body: body)
        }
        let window = capability(5, 0..<0, [0, 0, 0, 0])
        var writable = [UInt8](repeating: 0, count: window.count)
        writable[Window.bar - 2] = 0xff
        for index in Window.offset - 2..<window.count { writable[index] = 0xff }
        let windowOffset = space.addCapability(identifier: vendorSpecific, body: window, writable: writable)
        let (body, mask) = table.capability(
            bar: bar, tableOffset: UInt32(vectorTable.lowerBound), pendingOffset: UInt32(pendingBits.lowerBound))
        let messages = space.addCapability(identifier: MSIXTable.capabilityIdentifier, body: body, writable: mask)
        // They take 64 + 20 + 20 + 12 bytes of 192.
        return (space, windowOffset ?? 0, (messages ?? 0) + 2)
    }

    private static let vendorSpecific: UInt8 = 0x09

    /// `struct virtio_pci_cap` behind its first two bytes.
    private static func capability(_ type: UInt8, _ range: Range<UInt64>, _ extra: [UInt8]) -> [UInt8] {
        let length = UInt8(16 + extra.count)
        return [length, type, UInt8(bar), 0, 0, 0] + bytes(UInt32(range.lowerBound)) + bytes(UInt32(range.count))
            + extra
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
