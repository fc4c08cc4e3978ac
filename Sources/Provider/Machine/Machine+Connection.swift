public import LinuxSystem
import NetworkControl

extension Machine {
    /// How long a monitor may take to find the network that was started again, in milliseconds.
    private static let reconnectLimit: Int64 = 10_000

    /// Connects to a TCP port of the guest. First starts a network again that was killed under a running machine.
    /// - Parameters:
    ///   - milliseconds: How long to wait for the port to open; nil fails at once if it is closed.
    ///   - cancellation: Ends the wait; nil: the project's.
    /// - Throws: `NetworkError`, `SystemError` if there is no network and none to start again, `Interruption`.
    public func guestConnection(
        port: UInt16, waitingMilliseconds milliseconds: Int64?, _ cancellation: Cancellation? = nil
    ) throws -> OwnedDescriptor {
        let cancellation = cancellation ?? project.cancellation
        do {
            return try GuestPort.connect(
                through: folder.guestSocket, port: port, waitingMilliseconds: milliseconds, machine: name,
                cancellation: cancellation)
        } catch let error as SystemError {
            guard try project.resumeNetwork() else { throw error }
            return try GuestPort.connect(
                through: folder.guestSocket, port: port,
                waitingMilliseconds: max(milliseconds ?? 0, Self.reconnectLimit),
                machine: name, cancellation: cancellation)
        }
    }
}
