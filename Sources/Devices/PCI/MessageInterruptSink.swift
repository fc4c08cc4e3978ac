/// Delivers a function's message-signalled interrupts. A hypervisor implements it, for example with one irqfd for each
/// vector.
///
/// Thread safety: ``updateRoutes(_:)`` comes from vCPU threads with the vector table's lock held, so it must not call
/// back into the table; ``trigger(vector:)`` comes from any thread, often, and must be quick: one write to an eventfd.
public protocol MessageInterruptSink: AnyObject, Sendable {
    /// Vectors that now lead elsewhere. All changes of one register write come in one call.
    func updateRoutes(_ routes: [MessageRoute])
    /// Sends the message of a vector that is routed and not masked.
    func trigger(vector: Int)
}

/// What a vector writes, and where to: the interrupt's destination and number, in the CPU's own terms.
public struct MessageRoute: Equatable, Sendable {
    public var vector: Int
    public var address: UInt64
    public var data: UInt32

    public init(vector: Int, address: UInt64, data: UInt32) {
        self.vector = vector
        self.address = address
        self.data = data
    }
}
