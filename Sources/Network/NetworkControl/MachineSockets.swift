public import LinuxSystem
import SystemPackage

/// The sockets at a machine's ``MachineAttachment/socket`` and ``MachineAttachment/access``. Whoever adds a machine to
/// a running network binds them and passes them on: `wander-net` itself may then neither make sockets in the file
/// system nor write to any machine's folder.
public final class MachineSockets {
    private var monitor: OwnedDescriptor?
    private var access: OwnedDescriptor?
    /// In the order in which they travel with a request.
    let descriptors: [CInt]

    public init(monitor: consuming OwnedDescriptor, access: consuming OwnedDescriptor?) {
        var descriptors = [monitor.rawValue]
        if let access {
            descriptors.append(access.rawValue)
            self.access = consume access
        } else {
            self.access = nil
        }
        self.monitor = consume monitor
        self.descriptors = descriptors
    }

    /// Binds the sockets, and replaces any that exist.
    public convenience init(binding attachment: MachineAttachment) throws(SystemError) {
        let monitor =
            switch attachment.transport {
            case .stream: try UnixSocket.listen(at: attachment.socket, backlog: 64)
            case .datagram: try UnixSocket.bindDatagram(at: attachment.socket)
            }
        if let path = attachment.access {
            self.init(monitor: monitor, access: try UnixSocket.listen(at: path, backlog: 64))
        } else {
            self.init(monitor: monitor, access: nil)
        }
    }

    /// The socket, once; nil if it was taken before.
    public func takeMonitor() -> OwnedDescriptor? { monitor.take() }
    /// The socket, once; nil if it was taken before, or there is none.
    public func takeAccess() -> OwnedDescriptor? { access.take() }
}
