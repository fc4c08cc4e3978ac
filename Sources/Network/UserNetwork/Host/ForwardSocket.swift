import Glibc
import LinuxSystem
import NetworkControl

/// A socket of a forward on the host. One that is bound to 127.0.0.1 has a second at ::1 if the host has that, since
/// programs may try either first for `localhost`.
final class ForwardSocket: EventSource {
    private var descriptor: HeldDescriptor?
    /// Called when somebody has come, with the descriptor; a result says when to look again if more is there.
    private let arrived: (CInt) -> MonotonicClock?
    private var retry: MonotonicClock?

    init(_ descriptor: consuming OwnedDescriptor, family: CInt, arrived: @escaping (CInt) -> MonotonicClock?) {
        self.descriptor = HeldDescriptor(descriptor)
        self.family = family
        self.arrived = arrived
    }

    /// The second socket, if there is to be one and can be.
    static func twin(of forward: PortForward, stream: Bool) -> OwnedDescriptor? {
        guard forward.bind == "127.0.0.1" else { return nil }
        return try? SocketAddress("::1", port: forward.hostPort)?.bind(stream: stream)
    }

    /// The family of the address that it is bound to.
    let family: CInt

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { retry == nil ? Int16(POLLIN) : 0 }
    override var deadline: MonotonicClock? { retry }
    override func deadlinePassed(_ now: MonotonicClock) { if let retry, retry <= now { self.retry = nil } }
    override func ready(_ events: Int16) { if let descriptor { retry = arrived(descriptor.rawValue) } }

    override func finish() {
        super.finish()
        // Now: others may keep this object for a while.
        descriptor = nil
    }
}
