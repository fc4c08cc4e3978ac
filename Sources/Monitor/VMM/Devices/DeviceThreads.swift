internal import LinuxSystem
internal import Synchronization
internal import Virtio

/// The threads that do the devices' work: one for each lane of each device.
final class DeviceThreads {
    private let stop: Shared<EventDescriptor>
    private var threads: [ThreadHandle] = []
    private let starting = Starting()

    /// Which threads are not limited yet, and what went wrong.
    private final class Starting: Sendable {
        private struct State {
            var waiting = 0
            var failure: SystemError?
        }
        private let state = Mutex(State())
        private let changed = Condition()

        func begin() { state.withLock { $0.waiting += 1 } }

        func end(_ failure: SystemError?) {
            state.withLock {
                $0.waiting -= 1
                $0.failure = $0.failure ?? failure
            }
            changed.signal()
        }

        func wait() throws(SystemError) {
            while true {
                let generation = changed.generation
                let (waiting, failure) = state.withLock { ($0.waiting, $0.failure) }
                if let failure { throw failure }
                if waiting == 0 { return }
                changed.wait(since: generation)
            }
        }
    }

    init() throws(SystemError) { stop = Shared(try EventDescriptor()) }

    /// Starts the threads of a device.
    /// - Parameter filter: What system calls they may make; nil does not limit them.
    func start(_ function: VirtioPCIFunction, name: String, filter: SystemCallFilter?) throws(SystemError) {
        let sources = Array(function.sources.enumerated())
        for lane in Set(sources.map(\.element.lane)).sorted() {
            let mine = sources.filter { $0.element.lane == lane }.map { (index: $0.offset, source: $0.element) }
            let stop = stop
            let starting = starting
            starting.begin()
            threads.append(
                ThreadHandle(
                    try Thread(name: "\(name).\(lane)", stackSize: 256 << 10) {
                        do throws(SystemError) { try Confinement.confineThread(filter) } catch {
                            return starting.end(error)
                        }
                        starting.end(nil)
                        Self.run(function, mine, stop)
                    }))
        }
    }

    /// Returns when every thread is limited to its system calls.
    /// - Throws: Why one is not; then no guest may run.
    func waitUntilConfined() throws(SystemError) { try starting.wait() }

    private static let stopToken = UInt64.max

    private static func run(
        _ function: VirtioPCIFunction, _ sources: [(index: Int, source: WorkSource)], _ stop: Shared<EventDescriptor>
    ) {
        guard let poller = try? Poller(),
            (try? poller.add(stop.value.descriptor.rawValue, .readable, token: stopToken)) != nil
        else { return }
        for (index, source) in sources {
            try? poller.add(source.descriptor, source.interest, token: UInt64(index))
        }
        while let ready = try? poller.wait() {
            for item in ready {
                // Never taken: every thread has to see it.
                if item.token == stopToken { return }
                function.handle(source: Int(item.token))
            }
        }
    }

    /// Ends all threads; requests that are under way are finished first.
    func stopAndJoin() {
        stop.value.signal()
        for thread in threads { thread.join() }
        threads = []
    }
}
