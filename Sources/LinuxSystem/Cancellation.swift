import CLinux
import Glibc
public import Reporting
import Synchronization
import SystemPackage

/// A request to stop, shared by everything that works on one command. Whoever waits includes ``rawDescriptor`` in the wait.
public final class Cancellation: Sendable {
    private let event: EventDescriptor
    private let requested = Atomic<Bool>(false)

    public init() throws(SystemError) { event = try EventDescriptor() }

    /// Readable for ever once the request was made.
    public var rawDescriptor: CInt { event.descriptor.rawValue }

    public var isRequested: Bool { requested.load(ordering: .acquiring) }

    /// Safe in a signal handler: an atomic store and a write(2).
    public func request() {
        requested.store(true, ordering: .releasing)
        event.signal()
    }

    public func check() throws(Interruption) {
        if isRequested { throw Interruption() }
    }

    /// Sleeps.
    /// - Returns: Whether the request was made before the time was over.
    public func wait(milliseconds: Int64) -> Bool {
        (try? waitUntilReady(rawDescriptor, for: .readable, milliseconds: Int32(clamping: milliseconds))) ?? isRequested
    }
}
