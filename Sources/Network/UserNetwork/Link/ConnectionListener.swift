import Glibc
import LinuxSystem
import SystemPackage

/// A Unix socket on which others connect; hands every connection on.
final class ConnectionListener: EventSource {
    private var descriptor: HeldDescriptor?
    /// What to remove at the end; nil for a socket that somebody else made.
    private var path: FilePath?
    /// How long to leave waiting connections alone when they cannot be taken, in milliseconds.
    static let pause: Int64 = 200
    private var retry: MonotonicClock?
    private let accepted: (consuming OwnedDescriptor) -> Void

    convenience init(
        at path: FilePath, accepted: @escaping (consuming OwnedDescriptor) -> Void
    ) throws(SystemError) {
        try self.init(try UnixSocket.listen(at: path, backlog: 64), removing: path, accepted: accepted)
    }

    init(
        _ listener: consuming OwnedDescriptor, removing path: FilePath?,
        accepted: @escaping (consuming OwnedDescriptor) -> Void
    ) throws(SystemError) {
        try listener.setNonBlocking()
        descriptor = HeldDescriptor(listener)
        self.path = path
        self.accepted = accepted
    }

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { retry == nil ? Int16(POLLIN) : 0 }
    override var deadline: MonotonicClock? { retry }
    override func deadlinePassed(_ now: MonotonicClock) { retry = nil }

    override func ready(_ events: Int16) {
        // Few at a time: a flood of connections must not keep the loop from its other work.
        for _ in 0..<8 {
            guard let descriptor else { return }
            let connection: OwnedDescriptor?
            do {
                connection = try UnixSocket.accept(descriptor.descriptor)
            } catch {
                // No descriptors are left: the connection stays ready, so look again later rather than at once.
                retry = MonotonicClock.now.advanced(byMilliseconds: Self.pause)
                return
            }
            guard let connection else { return }
            guard (try? connection.setNonBlocking()) != nil else { return }
            accepted(connection)
        }
    }

    override func finish() {
        super.finish()
        descriptor = nil
        if let path { try? FileSystem.remove(path) }
    }

    /// As ``finish()``; another socket has the path by now.
    func makeWay() {
        path = nil
        finish()
    }
}
