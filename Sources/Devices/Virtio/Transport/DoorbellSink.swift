/// Turns a driver's write at a queue's address into a signal on an eventfd without leaving the hypervisor, such as with
/// KVM's ioeventfd. Optional: a write that arrives as an ordinary memory access has the same effect.
public protocol DoorbellSink: AnyObject, Sendable {
    /// A queue's address for notifications changed. Writes there may have any length and any value.
    ///
    /// Called on a vCPU's thread, one call at a time.
    /// - Parameters:
    ///   - descriptor: The eventfd(2) to signal; it lives as long as the device.
    ///   - old: Where it was; nil if nowhere.
    ///   - new: Where it is now; nil if nowhere.
    func moveDoorbell(queue: Int, descriptor: CInt, from old: UInt64?, to new: UInt64?)
}
