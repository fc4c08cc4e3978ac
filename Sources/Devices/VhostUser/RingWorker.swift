import CLinux
import LinuxSystem
import Synchronization
import SystemPackage

/// The thread that serves one queue whenever the front-end's guest kicks it.
final class RingWorker: Sendable {
    private struct State {
        var kick: SharedDescriptor?
        var isStopping = false
    }
    private let changed: EventDescriptor
    private let state = Mutex(State())
    private let serve: @Sendable () -> Bool

    /// - Parameter serve: Works on the queue, bounded; returns whether there is more to do.
    init(serve: @escaping @Sendable () -> Bool) throws(SystemError) {
        changed = try EventDescriptor()
        self.serve = serve
    }

    /// From now on waits for another descriptor, or for none. Chains that are there already are served at once.
    func setKick(_ kick: SharedDescriptor?) {
        state.withLock { $0.kick = kick }
        changed.signal()
    }

    /// Makes ``run()`` return.
    func stop() {
        state.withLock { $0.isStopping = true }
        changed.signal()
    }

    private static let changeToken: UInt64 = 0
    private static let kickToken: UInt64 = 1

    func run() {
        guard let poller = try? Poller(),
            (try? poller.add(changed.descriptor.rawValue, .readable, token: Self.changeToken)) != nil
        else { return }
        var kick: SharedDescriptor?
        var hasMore = false
        while let ready = try? poller.wait(milliseconds: hasMore ? 0 : -1) {
            for item in ready {
                if item.token == Self.changeToken {
                    changed.take()
                    let wanted = state.withLock { $0 }
                    if wanted.isStopping { return }
                    if wanted.kick !== kick {
                        // By hand: the front-end has the same descriptor open, so that closing it here is not enough.
                        if let old = kick { poller.remove(old.rawValue) }
                        kick = wanted.kick
                        if let new = kick, (try? poller.add(new.rawValue, .readable, token: Self.kickToken)) == nil {
                            kick = nil
                        }
                    }
                    hasMore = true
                } else if let current = kick {
                    if !Self.take(current) {
                        poller.remove(current.rawValue)
                        kick = nil
                    }
                    hasMore = true
                }
            }
            if hasMore { hasMore = serve() }
        }
    }

    /// Clears an eventfd's counter.
    /// - Returns: Whether it may be readable again; something that is at its end is for ever.
    private static func take(_ kick: SharedDescriptor) -> Bool {
        var count: UInt64 = 0
        return unsafe withUnsafeMutableBytes(of: &count) { buffer in
            do throws(SystemError) { return try unsafe kick.value.read(into: buffer) > 0 } catch {
                return error.errno == .resourceTemporarilyUnavailable
            }
        }
    }
}
