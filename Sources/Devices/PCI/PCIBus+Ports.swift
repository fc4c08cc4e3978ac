import Synchronization

// The two ways in which a guest reaches configuration space: ports (PCI 3.0, section 3.2.2.3.2, mechanism #1) and
// memory (PCI Express 4.0, section 7.2.2, ECAM).

extension PCIBus {
    /// The ports that belong to the bus: the address latch and the window to the register that it names.
    public static let ports: ClosedRange<UInt16> = 0xcf8...0xcff

    /// Reads 1, 2 or 4 bytes at a port of ``ports``.
    public func readPort(_ port: UInt16, count: Int) -> UInt32 {
        guard [1, 2, 4].contains(count) else { return .max }
        let ones: UInt32 = count == 4 ? .max : 1 << UInt32(8 * count) - 1
        return state.withLock { state in
            let lane = Int(port & 3)
            guard lane + count <= 4 else { return ones }
            switch port {
            case 0xcf8...0xcfb: return state.addressLatch >> UInt32(8 * lane) & ones
            case 0xcfc...0xcff:
                guard let (place, offset) = Self.target(of: state.addressLatch) else { return ones }
                return Self.read(state, place, offset + lane, count)
            default: return ones
            }
        }
    }

    public func writePort(_ value: UInt32, _ port: UInt16, count: Int) {
        guard [1, 2, 4].contains(count) else { return }
        let ones: UInt32 = count == 4 ? .max : 1 << UInt32(8 * count) - 1
        state.withLock { state in
            let lane = Int(port & 3)
            guard lane + count <= 4 else { return }
            switch port {
            case 0xcf8...0xcfb:
                let shift = UInt32(8 * lane)
                state.addressLatch = state.addressLatch & ~(ones << shift) | (value & ones) << shift
            case 0xcfc...0xcff:
                guard let (place, offset) = Self.target(of: state.addressLatch) else { return }
                write(state, value & ones, place, offset + lane, count)
            default: break
            }
        }
    }

    /// Bit 31 enables; then bus, device and function, and register. Only bus 0 exists.
    private static func target(of latch: UInt32) -> (place: Int, offset: Int)? {
        guard latch >> 31 == 1, latch >> 16 & 0xff == 0 else { return nil }
        return (Int(latch >> 8 & 0xff), Int(latch & 0xfc))
    }

    /// Reads from the memory-mapped configuration space.
    /// - Parameters:
    ///   - offset: From the start of bus 0, in bytes.
    ///   - count: 1 to 8 bytes.
    public func readMappedConfiguration(at offset: UInt64, count: Int) -> UInt64 {
        guard [1, 2, 4, 8].contains(count) else { return .max }
        if count == 8 {
            return readMappedConfiguration(at: offset, count: 4)
                | readMappedConfiguration(at: offset &+ 4, count: 4) << 32
        }
        let ones: UInt64 = 1 << UInt64(8 * count) - 1
        guard let (place, register) = Self.mappedTarget(offset) else { return ones }
        return UInt64(state.withLock { Self.read($0, place, register, count) })
    }

    public func writeMappedConfiguration(_ value: UInt64, at offset: UInt64, count: Int) {
        if count == 8 {
            writeMappedConfiguration(value & 0xffff_ffff, at: offset, count: 4)
            writeMappedConfiguration(value >> 32, at: offset &+ 4, count: 4)
            return
        }
        guard let (place, register) = Self.mappedTarget(offset) else { return }
        state.withLock { write($0, UInt32(truncatingIfNeeded: value), place, register, count) }
    }

    private static func mappedTarget(_ offset: UInt64) -> (place: Int, offset: Int)? {
        guard offset < configurationByteCount else { return nil }
        return (Int(offset >> 12), Int(offset & 0xfff))
    }
}
