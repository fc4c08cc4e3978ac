import LinuxSystem
import Virtio

/// What the front-end said about one ring. Service starts when the ring is enabled and has a kick, and ends when the
/// front-end asks for its base.
struct Ring {
    var size: UInt16 = 0
    /// In the front-end's address space.
    var descriptorTable: UInt64 = 0
    var availableRing: UInt64 = 0
    var usedRing: UInt64 = 0
    var hasAddress = false
    /// How many chains were served, modulo 2^16.
    var base: UInt16 = 0
    var kick: SharedDescriptor?
    var isEnabled = false
    /// Whether the device has the queue.
    var isAttached = false

    var isReady: Bool { isEnabled && kick != nil && hasAddress && size > 0 && !isAttached }

    /// The rings in guest-physical addresses; nil if one begins outside the guest's memory.
    func layout(in table: MemoryTable) -> QueueLayout? {
        guard let descriptors = table.guestAddress(ofUserAddress: descriptorTable),
            let available = table.guestAddress(ofUserAddress: availableRing),
            let used = table.guestAddress(ofUserAddress: usedRing)
        else { return nil }
        return QueueLayout(size: size, descriptorTable: descriptors, availableRing: available, usedRing: used)
    }
}
