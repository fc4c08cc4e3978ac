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

/// What the processors' threads must do, and what they report.
final class RunControl: Sendable {
    enum Command: UInt8, AtomicRepresentable { case run, pause, stop }

    let command = Atomic(Command.run)
    /// Counts pauses: a processor stops for one of them, whatever is left over of earlier ones.
    private let pauses = Atomic<UInt64>(0)
    private let events = Mutex<[MachineEvent]>([])
    /// Signalled when there is an event to take.
    let happened: Shared<EventDescriptor>
    /// Signalled when a thread has paused or ended.
    let paused: Shared<EventDescriptor>

    init() throws(SystemError) {
        happened = Shared(try EventDescriptor())
        paused = Shared(try EventDescriptor())
    }

    /// Tells the processors to pause; they have to be kicked.
    /// - Returns: The number of this pause.
    func beginPause() -> UInt64 {
        let number = pauses.wrappingAdd(1, ordering: .relaxed).newValue
        command.store(.pause, ordering: .releasing)
        return number
    }

    /// The pause that is under way, for a thread that has seen the command.
    var pause: UInt64 { pauses.load(ordering: .relaxed) }

    func report(_ event: MachineEvent) {
        events.withLock { if $0.count < 64 { $0.append(event) } }
        happened.value.signal()
    }

    func takeEvents() -> [MachineEvent] {
        happened.value.take()
        return events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
