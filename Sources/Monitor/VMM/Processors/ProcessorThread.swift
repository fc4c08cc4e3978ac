internal import KVM
internal import LinuxSystem
internal import Synchronization

/// The thread that runs one of the guest's processors.
final class ProcessorThread {
    private let work: Work
    private let thread: ThreadHandle

    private final class Work: Sendable {
        let processor: VirtualProcessor
        let bus: MachineBus
        let control: RunControl
        let resume: EventDescriptor
        let exits = Atomic<UInt64>(0)
        /// The pause for which the thread has stopped; the highest number once it has ended.
        let stopped = Atomic<UInt64>(0)
        let isConfined: Bool

        init(
            _ processor: VirtualProcessor, _ bus: MachineBus, _ control: RunControl, isConfined: Bool
        ) throws(SystemError) {
            self.isConfined = isConfined
            self.processor = processor
            self.bus = bus
            self.control = control
            resume = try EventDescriptor(nonBlocking: false)
        }
    }

    init(
        _ processor: VirtualProcessor, bus: MachineBus, control: RunControl, isConfined: Bool
    ) throws(SystemError) {
        let work = try Work(processor, bus, control, isConfined: isConfined)
        self.work = work
        thread = ThreadHandle(
            try Thread(name: "vcpu\(processor.index)", stackSize: 256 << 10) { Self.run(work) })
    }

    /// How often the processor has left the guest.
    var exits: UInt64 { work.exits.load(ordering: .relaxed) }

    /// Makes the thread look at its command.
    func kick() {
        work.processor.kick()
        thread.interrupt(with: KickSignal.number)
    }

    /// Whether the processor does not run, because of that pause or because its thread has ended.
    func hasStopped(for pause: UInt64) -> Bool { work.stopped.load(ordering: .acquiring) >= pause }

    func resume() { work.resume.signal() }

    func join() { thread.join() }

    private static func run(_ work: Work) {
        KickSignal.acceptInThisThread()
        defer {
            work.stopped.store(.max, ordering: .releasing)
            work.control.paused.value.signal()
        }
        do { try Confinement.confineThread(work.isConfined ? Confinement.processor : nil) } catch {
            return work.control.report(.failure(error.summary))
        }
        while true {
            let exit: Exit
            do { exit = try work.processor.run() } catch {
                work.control.report(.failure(error.summary))
                return
            }
            work.exits.wrappingAdd(1, ordering: .relaxed)
            switch exit {
            case .port(let access):
                switch work.bus.handle(access) {
                case .proceed: continue
                case .powerOff: return work.control.report(.powerOff)
                case .reset: return work.control.report(.reset)
                }
            case .memory(let access): work.bus.handle(access)
            case .interrupted: if obey(work) { return }
            case .tripleFault: return work.control.report(.tripleFault)
            case .systemEvent(let type): return work.control.report(type == 1 ? .powerOff : .reset)
            case .halted: return work.control.report(.failure("the processor halted without an interrupt controller"))
            case .entryFailed(let reason):
                return fail(work, "the hardware refused to enter the guest (reason 0x\(String(reason, radix: 16)))")
            case .internalError(let subreason):
                return fail(
                    work,
                    subreason == 1
                        ? "KVM cannot emulate an instruction of the guest" : "KVM's internal error \(subreason)")
            case .other(let reason):
                return fail(work, "KVM left the guest for reason \(reason), which wander does not know")
            }
        }
    }

    private static func fail(_ work: Work, _ what: String) {
        let place = try? work.processor.position()
        let suffix = place.map { " at 0x\(String($0.rip, radix: 16))" } ?? ""
        work.control.report(.failure("processor \(work.processor.index): \(what)\(suffix)"))
    }

    /// - Returns: Whether the thread has to end.
    private static func obey(_ work: Work) -> Bool {
        // Cleared before the command is read: a kick that follows a later command is not lost.
        work.processor.clearKick()
        while true {
            switch work.control.command.load(ordering: .acquiring) {
            case .run: return false
            case .stop: return true
            case .pause:
                work.stopped.store(work.control.pause, ordering: .releasing)
                work.control.paused.value.signal()
                work.resume.take()
                work.processor.noteStop()
            }
        }
    }
}
