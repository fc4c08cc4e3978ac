/// Why a processor left the guest.
public enum Exit {
    case port(PortAccess)
    case memory(MemoryAccess)
    /// The guest waits for an interrupt. Only without interrupt controllers in the kernel.
    case halted
    /// The guest faulted while handling a double fault: real hardware would reset.
    case tripleFault
    /// The guest asked its hypervisor to act: 1 shut down, 2 reset, 3 crashed.
    case systemEvent(type: UInt32)
    /// A signal or a kick.
    case interrupted
    /// The hardware refused the processor's state.
    case entryFailed(hardwareReason: UInt64)
    /// KVM could not go on: 1 is an instruction that it cannot emulate.
    case internalError(subreason: UInt32)
    case other(reason: UInt32)
}

/// The guest reads or writes a port. Valid until the processor runs again.
@safe public struct PortAccess {
    public let port: UInt16
    /// 1, 2 or 4 bytes.
    public let width: Int
    public let isWrite: Bool
    /// One value of `width` bytes or, for string instructions, several: what is written, or where to put what is read.
    public let data: UnsafeMutableRawBufferPointer

    /// How many values.
    public var count: Int { unsafe data.count / max(1, width) }

    public subscript(position: Int) -> UInt32 {
        get {
            var value: UInt32 = 0
            for byte in 0..<width { value |= UInt32(unsafe data[position * width + byte]) << UInt32(8 * byte) }
            return value
        }
        nonmutating set {
            for byte in 0..<width {
                unsafe data[position * width + byte] = UInt8(truncatingIfNeeded: newValue >> UInt32(8 * byte))
            }
        }
    }
}

/// The guest reads or writes memory that is not RAM. Valid until the processor runs again.
@safe public struct MemoryAccess {
    public let address: UInt64
    public let isWrite: Bool
    /// 1 to 8 bytes: what is written, or where to put what is read.
    public let data: UnsafeMutableRawBufferPointer

    public var width: Int { unsafe data.count }

    public var value: UInt64 {
        get {
            var value: UInt64 = 0
            for byte in 0..<width { value |= UInt64(unsafe data[byte]) << UInt64(8 * byte) }
            return value
        }
        nonmutating set {
            for byte in 0..<width { unsafe data[byte] = UInt8(truncatingIfNeeded: newValue >> UInt64(8 * byte)) }
        }
    }
}
