import GuestMemory
import Virtio

/// A driver that keeps making the same chains available: as cheap as one can be, since it is not what is measured.
struct RingDriver {
    static let size: UInt16 = 256
    static let descriptorTable: UInt64 = 0x1000
    static let availableRing: UInt64 = 0x3000
    static let usedRing: UInt64 = 0x5000

    let memory: GuestMemory
    /// Of three descriptors each.
    let chainCount = 80
    private var index: UInt16 = 0

    var layout: QueueLayout {
        QueueLayout(
            size: Self.size, descriptorTable: Self.descriptorTable, availableRing: Self.availableRing,
            usedRing: Self.usedRing)
    }

    /// Chains as a disk gets them: a header, data to fill, an outcome.
    init(memory: GuestMemory) throws {
        self.memory = memory
        for chain in 0..<chainCount {
            let header = 0x10000 + UInt64(chain) * 16
            try memory.store(UInt64(0), at: header)
            try memory.store(UInt64(0), at: header + 8)
            let buffers: [(UInt64, UInt32, UInt16)] = [
                (header, 16, 1), (0x20000 + UInt64(chain) * 512, 512, 3), (0x18000 + UInt64(chain), 1, 2),
            ]
            for (position, buffer) in buffers.enumerated() {
                let descriptor = 3 * chain + position
                let address = Self.descriptorTable + 16 * UInt64(descriptor)
                try memory.store(buffer.0, at: address)
                try memory.store(buffer.1, at: address + 8)
                try memory.store(buffer.2, at: address + 12)
                try memory.store(UInt16(descriptor + 1), at: address + 14)
            }
        }
    }

    /// Makes every chain available once more.
    mutating func offerAll() throws {
        for chain in 0..<chainCount {
            try memory.store(UInt16(3 * chain), at: Self.availableRing + 4 + 2 * UInt64(index & (Self.size - 1)))
            index &+= 1
        }
        try memory.storeReleasing16(index, at: Self.availableRing + 2)
    }
}
