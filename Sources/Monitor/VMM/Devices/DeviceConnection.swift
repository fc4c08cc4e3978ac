internal import LinuxSystem
internal import PCI
internal import SystemPackage
internal import Virtio

/// One virtio device's connections to the machine: interrupts in one direction, notifications in the other.
final class DeviceConnection: MessageInterruptSink, DoorbellSink {
    private let router: InterruptRouter
    private let events: [Shared<EventDescriptor>]
    private let first: UInt32

    /// - Throws: `ENOSPC` if the machine has no interrupt numbers left.
    init(_ router: InterruptRouter, vectorCount: Int) throws(SystemError) {
        var events: [Shared<EventDescriptor>] = []
        for _ in 0..<vectorCount { events.append(Shared(try EventDescriptor())) }
        guard let first = router.reserve(vectorCount) else {
            throw SystemError("give a device \(vectorCount) interrupts", nil, .noSpace)
        }
        self.router = router
        self.events = events
        self.first = first
    }

    func updateRoutes(_ routes: [MessageRoute]) { router.update(routes, first: first, events: events) }

    func trigger(vector: Int) { if events.indices.contains(vector) { events[vector].value.signal() } }

    func moveDoorbell(queue: Int, descriptor: CInt, from old: UInt64?, to new: UInt64?) {
        router.connect(doorbell: descriptor, from: old, to: new)
    }
}
