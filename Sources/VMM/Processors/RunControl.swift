internal import KVM
internal import LinuxSystem
internal import Synchronization

/// Something that happened to the machine, on one of its own threads.
public enum MachineEvent: Equatable, Sendable {
    /// The guest switched itself off.
    case powerOff
    /// The guest asked for a reset.
    case reset
    /// The guest did what no processor survives; real hardware resets.
    case tripleFault
    /// The processor cannot go on.
    case failure(String)
}

/// What the processors' threads are told, and what they tell.
final class RunControl: Sendable {
    enum Command: UInt8, AtomicRepresentable { case run, pause, stop }

    let command = Atomic(Command.run)
    private let events = Mutex<[MachineEvent]>([])
    /// Signalled when there is an event to take.
    let happened: EventHolder
    /// Counts threads that have paused.
    let paused: EventHolder

    init() throws(SystemError) {
        happened = try EventHolder()
        paused = try EventHolder()
    }

    func report(_ event: MachineEvent) {
        events.withLock { if $0.count < 64 { $0.append(event) } }
        happened.event.signal()
    }

    func takeEvents() -> [MachineEvent] {
        happened.event.take()
        return events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
