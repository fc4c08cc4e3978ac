public import LinuxSystem
public import SystemPackage
import TestSupport

extension TestServer {
    /// Where ``serveOnceAtSocket()`` serves.
    public var socket: FilePath { directory.path.appending("relay.sock") }

    /// Serves one connection at ``socket``, as a guest is reached: a socket of the file system tells of its other end's
    /// end.
    /// - Returns: What to join afterwards.
    public func serveOnceAtSocket() throws -> Thread {
        let listener = try UnixSocket.listen(at: socket)
        let command = ["/usr/sbin/sshd", "-i", "-f", configuration.string]
        return try Thread(name: "relay") {
            guard let connection = try? UnixSocket.accept(listener) else { return }
            var options = ChildProcess.Options()
            options.input = .descriptor(connection.rawValue)
            options.output = .descriptor(connection.rawValue)
            options.error = .null
            let child = try? ChildProcess.start(command, options)
            connection.close()
            _ = try? child?.wait()
        }
    }
}
