import CLinux
import Glibc
public import Reporting
import Synchronization
import SystemPackage

/// A request to stop, shared by everything that works on one command. Whoever waits includes ``rawDescriptor`` in the
/// wait.
public final class Cancellation: Sendable {
    private let event: EventDescriptor
    private let requested = Atomic<Bool>(false)
    private let ending = Mutex<[String]>([])
    /// What a second request asks for while something is let end; nil where the first one cuts everything off.
    public let insistence: Cancellation?

    /// - Parameter lettingEnd: Whether ``letEnd(_:_:)`` keeps the first request from what it runs.
    public init(lettingEnd: Bool = false) throws(SystemError) {
        event = try EventDescriptor()
        insistence = lettingEnd ? try Cancellation() : nil
    }

    /// Runs what should not be cut off in its midst. It observes ``insistence`` in this one's place.
    public func letEnd<Result, Failure: Error>(
        _ name: String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        ending.withLock { $0.append(name) }
        defer {
            ending.withLock { names in
                if let index = names.firstIndex(of: name) { names.remove(at: index) }
            }
        }
        return try body()
    }

    /// The names of what is let end at the moment.
    public var letsEnd: [String] { ending.withLock { $0 } }

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
