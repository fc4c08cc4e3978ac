/// What a driver did to a queue that no correct driver does. The device stops and asks to be reset (Virtio 1.2, section
/// 2.1.1, DEVICE_NEEDS_RESET); nothing else is affected.
public enum QueueError: Error, Equatable, Sendable {
    /// The ring addresses or the size were unusable when the driver enabled the queue.
    case invalidRing
    /// The driver claims more available chains than the queue has entries.
    case tooManyAvailable(UInt16)
    /// A chain's head, or the next descriptor of one, lies outside the table.
    case descriptorOutOfRange(UInt16)
    /// More descriptors than the queue has entries: a loop.
    case chainTooLong
    /// A buffer does not lie inside guest RAM.
    case bufferOutsideMemory(address: UInt64, count: UInt32)
    /// A buffer for the device to read follows one for it to write.
    case readableAfterWritable
    /// Flags that do not exist, were not negotiated, or contradict each other.
    case invalidFlags(UInt16)
    case invalidIndirectTable(address: UInt64, count: UInt32)
    /// The buffers of a chain are 4 GiB or more in all.
    case chainTooLarge
    /// The chain is well formed, but no request of this device.
    case malformedRequest
}
