internal import KVM
internal import LinuxSystem
internal import PCI
internal import Synchronization

/// Connects devices' signals with interrupts of the current hypervisor machine, which a reset replaces.
///
/// Any thread may call anything.
final class InterruptRouter: Sendable {
    private struct State {
        var machine: VirtualMachine?
        var routes: [UInt32: InterruptMessage] = [:]
        var connected: Set<UInt32> = []
        var next = InterruptRoute.firstMessage
        var failure: KVMError?
    }
    private let state = Mutex(State())

    /// Reserves interrupt numbers for a device. Before the machine starts.
    /// - Returns: The first of `count`; nil if there are not so many left.
    func reserve(_ count: Int) -> UInt32? {
        state.withLock { state in
            guard count <= Int(InterruptRoute.limit - state.next) else { return nil }
            defer { state.next += UInt32(count) }
            return state.next
        }
    }

    /// Serves `machine` from now on, without any route but those of the controllers.
    func attach(_ machine: VirtualMachine?) throws(KVMError) {
        state.withLock { state in
            state.machine = machine
            state.routes = [:]
            state.connected = []
        }
        try machine?.setRoutes([])
    }

    /// Routes `number` and the following to the messages, and connects the events that raise them.
    func update(_ routes: [MessageRoute], first number: UInt32, events: [Shared<EventDescriptor>]) {
        state.withLock { state in
            guard let machine = state.machine else { return }
            for route in routes where events.indices.contains(route.vector) {
                state.routes[number + UInt32(route.vector)] = InterruptMessage(address: route.address, data: route.data)
            }
            let all = state.routes.map { InterruptRoute(number: $0.key, message: $0.value) }
            do throws(KVMError) {
                // The routes first: KVM connects an event only to a route that exists.
                try machine.setRoutes(all.sorted { $0.number < $1.number })
                for route in routes where events.indices.contains(route.vector) {
                    let interrupt = number + UInt32(route.vector)
                    guard !state.connected.contains(interrupt) else { continue }
                    try machine.connect(events[route.vector].value, toInterrupt: interrupt)
                    state.connected.insert(interrupt)
                }
            } catch {
                // The guest chose the message: it loses its interrupt, and the monitor goes on.
                state.failure = state.failure ?? error
            }
        }
    }

    func connect(doorbell descriptor: CInt, from old: UInt64?, to new: UInt64?) {
        state.withLock { state in
            guard let machine = state.machine else { return }
            do throws(KVMError) {
                if let old { try machine.disconnect(eventDescriptor: descriptor, from: .memory(old)) }
                if let new { try machine.connect(eventDescriptor: descriptor, to: .memory(new)) }
            } catch {
                // The write then leaves the guest and reaches the device as a memory access, only slower.
                state.failure = state.failure ?? error
            }
        }
    }

    /// The first request that KVM refused.
    var failure: KVMError? { state.withLock { $0.failure } }
}
