import CLinux
import LinuxSystem

/// Waits for everything with one poll(2) a round, and serves what is ready in turn. libslirp's sockets change from
/// round to round, so the set is made again each time.
final class EventLoop {
    /// Called before each wait: sends what the round has gathered.
    var beforeWait: () -> Void = {}
    /// The instant at which the current round began.
    private(set) var now = MonotonicClock.now
    private var sources: [EventSource] = []
    private var engines: [NATEngine] = []
    private var set = PollSet()
    private var stopped = false
    /// Which source is served first; it moves on, so that none is always last.
    private var first = 0

    func add(_ source: EventSource) { sources.append(source) }
    func add(_ engine: NATEngine) { engines.append(engine) }
    func remove(_ engine: NATEngine) { engines.removeAll { $0 === engine } }
    func stop() { stopped = true }

    func run() { while !stopped { round(limit: nil) } }

    /// One round.
    /// - Parameter limit: The longest wait, in milliseconds; nil for none.
    func round(limit: Int32?) {
        beforeWait()
        sources.removeAll(where: \.isFinished)
        let waiting = sources
        set.removeAll()
        var timeout = limit.map { UInt32($0) } ?? .max
        now = .now
        for source in waiting {
            let interest = source.interest
            set.append(interest == 0 ? -1 : source.rawDescriptor, interest)
            if let deadline = source.deadline { timeout = min(timeout, milliseconds(until: deadline)) }
        }
        let active = engines
        for engine in active { timeout = min(timeout, engine.fill(&set, now: now)) }
        let failed = set.wait(milliseconds: timeout == .max ? -1 : Int32(clamping: timeout)) < 0
        now = .now
        first = waiting.isEmpty ? 0 : (first + 1) % waiting.count
        for turn in waiting.indices {
            let index = (turn + first) % waiting.count
            let events = failed ? 0 : set.events(at: index)
            if events != 0, !waiting[index].isFinished { waiting[index].ready(events) }
        }
        for engine in active { engine.process(set, failed: failed) }
        for source in waiting where !source.isFinished {
            if let deadline = source.deadline, deadline <= now { source.deadlinePassed(now) }
        }
    }

    private func milliseconds(until deadline: MonotonicClock) -> UInt32 {
        UInt32(clamping: max(0, deadline.milliseconds(since: now)))
    }
}

/// The descriptors of one round.
struct PollSet {
    private var entries: [pollfd] = []

    var count: Int { entries.count }

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// - Returns: The entry's index.
    @discardableResult
    mutating func append(_ descriptor: CInt, _ interest: Int16) -> Int {
        entries.append(pollfd(fd: descriptor, events: interest, revents: 0))
        return entries.count - 1
    }

    func events(at index: Int) -> Int16 { entries.indices.contains(index) ? entries[index].revents : 0 }

    mutating func wait(milliseconds: Int32) -> CInt {
        unsafe entries.withUnsafeMutableBufferPointer {
            unsafe poll($0.baseAddress, nfds_t($0.count), milliseconds)
        }
    }
}
