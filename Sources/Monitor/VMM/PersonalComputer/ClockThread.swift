internal import LinuxSystem

/// The thread that makes the clock tick, and the system control interrupt come again. It sleeps while the guest wants
/// neither.
final class ClockThread {
    private let computer: PersonalComputer
    private let stop: Shared<EventDescriptor>
    private let isConfined: Shared<EventDescriptor>
    private let timers: Timers
    private var thread: ThreadHandle?

    private enum Token {
        static let stop: UInt64 = 0
        static let served: UInt64 = 1
        static let changed: UInt64 = 2
        static let period: UInt64 = 3
        static let second: UInt64 = 4
    }
    private final class Timers: Sendable {
        let period: TimerDescriptor
        let second: TimerDescriptor
        init() throws(SystemError) {
            period = try TimerDescriptor()
            second = try TimerDescriptor()
        }
    }

    /// Makes what the thread needs, which a confined process may not.
    init(_ computer: PersonalComputer) throws(SystemError) {
        self.computer = computer
        stop = Shared(try EventDescriptor())
        isConfined = Shared(try EventDescriptor(nonBlocking: false))
        timers = try Timers()
    }

    /// - Parameters:
    ///   - filter: What system calls it may make; nil does not limit it.
    ///   - failed: Told why the thread has ended by itself.
    func start(filter: SystemCallFilter?, failed: @escaping @Sendable (String) -> Void) throws(SystemError) {
        let (computer, timers, stop, isConfined) = (computer, timers, stop, isConfined)
        thread = ThreadHandle(
            try Thread(name: "clock", stackSize: 256 << 10) {
                do throws(SystemError) {
                    try Confinement.confineThread(filter)
                    isConfined.value.signal()
                    try Self.run(computer, timers, stop)
                } catch {
                    failed(error.summary)
                    isConfined.value.signal()
                }
            })
        isConfined.value.take()
    }

    func stopAndJoin() {
        stop.value.signal()
        thread?.join()
    }

    private static func run(
        _ computer: PersonalComputer, _ timers: Timers, _ stop: Shared<EventDescriptor>
    ) throws(SystemError) {
        let poller = try Poller()
        try poller.add(stop.value.descriptor.rawValue, .readable, token: Token.stop)
        try poller.add(computer.served.descriptor.rawValue, .readable, token: Token.served)
        try poller.add(computer.clockChanged.descriptor.rawValue, .readable, token: Token.changed)
        try poller.add(timers.period.descriptor.rawValue, .readable, token: Token.period)
        try poller.add(timers.second.descriptor.rawValue, .readable, token: Token.second)
        while true {
            for item in try poller.wait() {
                switch item.token {
                case Token.stop: return
                case Token.served:
                    computer.served.take()
                    computer.noteServed()
                case Token.changed:
                    computer.clockChanged.take()
                    set(timers, computer)
                case Token.period:
                    timers.period.take()
                    computer.tick()
                    timers.period.set(nanoseconds: computer.clockDemand.period)
                default:
                    timers.second.take()
                    computer.tickSecond()
                    setSecond(timers, computer)
                }
            }
        }
    }

    private static func set(_ timers: Timers, _ computer: PersonalComputer) {
        timers.period.set(nanoseconds: computer.clockDemand.period)
        setSecond(timers, computer)
    }

    private static func setSecond(_ timers: Timers, _ computer: PersonalComputer) {
        let next = computer.clockDemand.seconds ? 1_000_000_000 - wallClock().nanoseconds : nil
        timers.second.set(nanoseconds: next)
    }
}
