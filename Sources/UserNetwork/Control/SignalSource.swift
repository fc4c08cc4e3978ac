import Glibc
import LinuxSystem

/// SIGTERM and SIGINT as something to wait for.
final class SignalSource: EventSource {
    private let cancellation: Cancellation
    private let received: () -> Void

    init(_ received: @escaping () -> Void) throws {
        cancellation = try Cancellation()
        self.received = received
        super.init()
        try Signals.request(cancellation) {}
    }

    override var rawDescriptor: CInt { cancellation.rawDescriptor }
    override var interest: Int16 { Int16(POLLIN) }
    override func ready(_ events: Int16) { received() }
}

extension Network {
    /// Ends ``run()`` when the process is asked to end. Call it before any other thread starts.
    public func stopOnSignals() throws {
        loop.add(try SignalSource { [unowned self] in stop() })
    }
}
