import Glibc
import LinuxSystem
import SSH
import SystemPackage

/// A real SSH server on a loopback port, with a home directory, host key and authorized keys of its own. It runs as the
/// user who runs the tests and knows that user alone.
final class TestServer {
    enum Kind: String, Sendable, CaseIterable { case openSSH, dropbear }

    struct Failure: Error { let reason: String }

    let directory: TemporaryDirectory
    let port: UInt16
    let user: String
    private var child: ChildProcess?

    var home: FilePath { directory.path.appending("home") }
    var authorizedKeys: FilePath { home.appending(".ssh").appending("authorized_keys") }
    var transport: SSHTransport { .tcp(host: "127.0.0.1", port: port) }

    /// dropbear has no setting for the home directory, so a private mount namespace shows it another one; that takes root.
    static let kinds: [Kind] = getuid() == 0 ? Kind.allCases : [.openSSH]

    init(_ kind: Kind = .openSSH, accepting keys: [SSHPublicKey], started: Bool = true) throws {
        directory = try TemporaryDirectory()
        port = try freePort()
        guard let entry = getpwuid(getuid()), let name = entry.pointee.pw_name, let folder = entry.pointee.pw_dir else {
            throw Failure(reason: "this user has no name")
        }
        user = String(cString: name)
        realHome = String(cString: folder)
        self.kind = kind
        try FileSystem.makeDirectory(home.appending(".ssh"), permissions: 0o700)
        try AtomicFile.write(keys.map { $0.line + "\n" }.joined(), to: authorizedKeys, permissions: 0o600)
        try makeHostKey()
        if started { try start() }
    }

    private let kind: Kind
    private let realHome: String
    var configuration: FilePath { directory.path.appending("sshd_config") }
    private var hostKeyFile: FilePath { directory.path.appending("host_key") }

    /// Replaces the server's identity; takes effect at the next start.
    func makeHostKey() throws {
        try FileSystem.remove(hostKeyFile)
        switch kind {
        case .openSSH:
            let pair = try SSHKeyPair.generate(comment: "host")
            try AtomicFile.write(pair.privateKeyText, to: hostKeyFile, permissions: 0o600)
        case .dropbear:
            _ = try ChildProcess.run(["dropbearkey", "-t", "ed25519", "-f", hostKeyFile.string])
        }
    }

    func start() throws {
        var options = ChildProcess.Options()
        let log = try OwnedDescriptor.open(directory.path.appending("log"), [.writeOnly, .create, .append])
        options.output = .descriptor(log.rawValue)
        options.error = .descriptor(log.rawValue)
        switch kind {
        case .openSSH:
            if getuid() == 0 { try FileSystem.makeDirectory("/run/sshd") }
            try AtomicFile.write(
                """
                ListenAddress 127.0.0.1
                Port \(port)
                HostKey \(hostKeyFile)
                AuthorizedKeysFile \(authorizedKeys)
                PidFile none
                StrictModes no
                UsePAM no
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                PermitRootLogin yes
                MaxStartups 200
                LogLevel VERBOSE
                SetEnv HOME=\(home)

                """, to: configuration)
            child = try ChildProcess.start(["/usr/sbin/sshd", "-D", "-e", "-f", configuration.string], options)
        case .dropbear:
            let script = "mount --bind \"$1\" \"$2\" && exec dropbear -F -E -s -p 127.0.0.1:\"$3\" -r \"$4\""
            child = try ChildProcess.start(
                [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", home.string, realHome,
                    String(port), hostKeyFile.string,
                ], options)
        }
        for _ in 0..<500 {
            if (try? transport.connect()) != nil { return }
            usleep(20_000)
        }
        throw Failure(reason: "the server does not start: \(logText)")
    }

    func stop() {
        guard let child = child.take() else { return }
        child.signal(SIGKILL)
        _ = try? child.wait()
    }

    var logText: String {
        String(decoding: (try? FileSystem.read(directory.path.appending("log"))) ?? [], as: UTF8.self)
    }

    deinit { stop() }

    func connect(_ options: SSHSession.Options = SSHSession.Options()) throws(SSHError) -> SSHSession {
        try SSHSession(to: transport, options)
    }

    func logIn(_ key: SSHKeyPair, _ options: SSHSession.Options = SSHSession.Options()) throws(SSHError) -> SSHSession {
        let session = try connect(options)
        try session.authenticate(user: user, keys: [key])
        return session
    }
}

/// A directory that goes away with its owner.
final class TemporaryDirectory {
    let path: FilePath

    init() throws {
        let parent = FilePath(environmentVariable("TMPDIR") ?? "/tmp")
        path = try FileSystem.resolve(parent).appending("wander-ssh-\(randomIdentifier(bytes: 6))")
        try FileSystem.makeDirectory(path, permissions: 0o755)
    }

    deinit { try? FileSystem.removeTree(path) }
}

/// A server that does what a test tells it, and is none.
final class FakeServer {
    let port: UInt16
    private let descriptor: CInt
    var transport: SSHTransport { .tcp(host: "127.0.0.1", port: port) }

    init() throws {
        (descriptor, port) = try listeningSocket()
        listen(descriptor, 16)
    }

    /// Accepts one connection, in this thread.
    func accept() -> OwnedDescriptor { OwnedDescriptor(owning: Glibc.accept(descriptor, nil, nil)) }

    deinit { close(descriptor) }
}

private func listeningSocket() throws -> (CInt, UInt16) {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
        }
    }
    guard status == 0 else { throw TestServer.Failure(reason: "no free port") }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// A port that nobody listens on at the moment.
func freePort() throws -> UInt16 {
    let (descriptor, port) = try listeningSocket()
    close(descriptor)
    return port
}
