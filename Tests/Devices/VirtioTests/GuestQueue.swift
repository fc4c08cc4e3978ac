import GuestMemory

/// A driver's end of a split virtqueue, and of the attacks on it.
final class GuestQueue {
    struct Descriptor {
        var address: UInt64
        var count: UInt32
        var flags: UInt16 = 0
        var next: UInt16 = 0
        static let nextFlag: UInt16 = 1
        static let writeFlag: UInt16 = 2
        static let indirectFlag: UInt16 = 4
    }

    let memory: GuestMemory
    let size: UInt16
    let descriptors: UInt64
    let available: UInt64
    let used: UInt64
    let eventIndex: Bool
    private(set) var availableIndex: UInt16 = 0
    private(set) var usedIndex: UInt16 = 0
    private var free: [UInt16]
    private var chains: [UInt16: [UInt16]] = [:]

    init(memory: GuestMemory, size: UInt16, descriptors: UInt64, available: UInt64, used: UInt64, eventIndex: Bool) {
        self.memory = memory
        self.size = size
        self.descriptors = descriptors
        self.available = available
        self.used = used
        self.eventIndex = eventIndex
        free = Array((0..<size).reversed())
    }

    func write(_ descriptor: Descriptor, at index: UInt16, of table: UInt64? = nil) throws {
        let address = (table ?? descriptors) + 16 * UInt64(index)
        try memory.store(descriptor.address, at: address)
        try memory.store(descriptor.count, at: address + 8)
        try memory.store(descriptor.flags, at: address + 12)
        try memory.store(descriptor.next, at: address + 14)
    }

    /// Makes a chain available whose first descriptor is `head`.
    func offer(_ head: UInt16) throws {
        try memory.store(head, at: available + 4 + 2 * UInt64(availableIndex & (size - 1)))
        availableIndex &+= 1
        try memory.storeReleasing16(availableIndex, at: available + 2)
    }

    func setAvailableIndex(_ value: UInt16) throws { try memory.storeReleasing16(value, at: available + 2) }

    /// Links descriptors to a chain and makes it available, as a correct driver does.
    /// - Returns: The chain's head.
    @discardableResult
    func submit(_ buffers: [(address: UInt64, count: Int, writable: Bool)]) throws -> UInt16 {
        let indexes = buffers.map { _ in free.removeLast() }
        for (position, buffer) in buffers.enumerated() {
            var flags: UInt16 = buffer.writable ? Descriptor.writeFlag : 0
            let isLast = position == buffers.count - 1
            if !isLast { flags |= Descriptor.nextFlag }
            try write(
                Descriptor(
                    address: buffer.address, count: UInt32(buffer.count), flags: flags,
                    next: isLast ? 0 : indexes[position + 1]), at: indexes[position])
        }
        chains[indexes[0]] = indexes
        try offer(indexes[0])
        return indexes[0]
    }

    /// What the device used since the last time, in its order. Their descriptors are free again.
    func takeUsed() throws -> [(head: UInt16, written: Int)] {
        var result: [(UInt16, Int)] = []
        let index = try memory.loadAcquiring16(at: used + 2)
        while usedIndex != index {
            let element = used + 4 + 8 * UInt64(usedIndex & (size - 1))
            let head = UInt16(truncatingIfNeeded: try memory.load(UInt32.self, at: element))
            result.append((head, Int(try memory.load(UInt32.self, at: element + 4))))
            free += chains.removeValue(forKey: head) ?? []
            usedIndex &+= 1
        }
        if eventIndex { try memory.store(usedIndex, at: available + 4 + 2 * UInt64(size)) }
        return result
    }

    /// The chain from which on the device wants to be notified.
    var wantedNotification: UInt16 {
        get throws { try memory.load(UInt16.self, at: used + 4 + 8 * UInt64(size)) }
    }
    /// From which used chain on the driver wants an interrupt.
    func wantInterrupt(from index: UInt16) throws { try memory.store(index, at: available + 4 + 2 * UInt64(size)) }
}
