import Glibc
import LinuxSystem

/// The signals that ask the process to end, as something to wait for.
final class SignalSource: EventSource {
    private let descriptor: SignalDescriptor
    private let received: () -> Void

    init(_ received: @escaping () -> Void) throws {
        descriptor = try SignalDescriptor()
        self.received = received
        super.init()
    }

    override var rawDescriptor: CInt { descriptor.rawDescriptor }
    override var interest: Int16 { Int16(POLLIN) }
    override func ready(_ events: Int16) {
        descriptor.take()
        received()
    }
}

extension Network {
    /// Ends ``run()`` when the process is asked to end. Call it before any other thread starts.
    public func stopOnSignals() throws {
        loop.add(try SignalSource { [unowned self] in stop() })
    }
}
