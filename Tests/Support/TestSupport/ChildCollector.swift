import LinuxSystem

/// Collects children that have ended and that nobody waits for, in a process that runs tests. Swift Testing's watcher
/// of exit tests looks at every dead child of the process, and never gets past one that nobody collects.
enum ChildCollector {
    /// Starts it, once, for as long as the process lives.
    static func start() { _ = isStarted }

    private static let isStarted: Bool = {
        let thread = try? Thread(name: "collector", stackSize: 256 << 10) {
            while true {
                ChildProcess.collectAbandoned()
                MonotonicClock.sleep(milliseconds: 100)
            }
        }
        return thread != nil
    }()
}
