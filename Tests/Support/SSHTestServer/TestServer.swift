import Glibc
import LinuxSystem
public import SSH
public import SystemPackage
public import TestSupport

/// A real SSH server on a loopback port, with a home directory, host key and authorized keys of its own. It runs as the
/// user who runs the tests and knows that user alone.
public final class TestServer {
    public enum Kind: String, Sendable, CaseIterable { case openSSH, dropbear }

    public struct Failure: Error {
        public let reason: String
        public init(reason: String) { self.reason = reason }
    }

    public let directory: TemporaryFolder
    public let port: UInt16
    public let user: String
    private var child: ChildProcess?

    public var home: FilePath { directory.path.appending("home") }
    public var authorizedKeys: FilePath { home.appending(".ssh").appending("authorized_keys") }
    public var transport: SSHTransport { .tcp(host: "127.0.0.1", port: port) }

    /// dropbear has no setting for the home directory, so a private mount namespace shows it another one; that takes
    /// root.
    public static let kinds: [Kind] = getuid() == 0 ? Kind.allCases : [.openSSH]

    /// - Parameters:
    ///   - forwarding: Whether it makes TCP connections for its users.
    ///   - shell: The user's login shell, which takes root; nil is the one that the user has.
    ///   - files: Contents of files of the system's, as the server and its users see them; takes root.
    public init(
        _ kind: Kind = .openSSH, accepting keys: [SSHPublicKey], started: Bool = true, forwarding: Bool = true,
        shell: String? = nil, files: [String: String] = [:]
    ) throws {
        directory = try TemporaryFolder()
        port = try freePort()
        guard let entry = getpwuid(getuid()), let name = entry.pointee.pw_name, let folder = entry.pointee.pw_dir else {
            throw Failure(reason: "this user has no name")
        }
        user = String(cString: name)
        realHome = String(cString: folder)
        self.kind = kind
        self.forwarding = forwarding
        self.files = files
        if let shell {
            let passwd = String(decoding: try FileSystem.read("/etc/passwd"), as: UTF8.self)
            self.files["/etc/passwd"] =
                passwd.split(separator: "\n").map { line in
                    guard line.hasPrefix(String(cString: name) + ":"), let end = line.lastIndex(of: ":") else {
                        return line
                    }
                    return line[...end] + shell
                }.joined(separator: "\n") + "\n"
            self.files["/etc/shells"] = shell + "\n"
        }
        try FileSystem.makeDirectory(home.appending(".ssh"), permissions: 0o700)
        try AtomicFile.write(keys.map { $0.line + "\n" }.joined(), to: authorizedKeys, permissions: 0o600)
        try makeHostKey()
        if started { try start() }
    }

    private let kind: Kind
    private let forwarding: Bool
    private var files: [String: String]
    private let realHome: String
    public var configuration: FilePath { directory.path.appending("sshd_config") }
    private var hostKeyFile: FilePath { directory.path.appending("host_key") }

    /// Replaces the server's identity; takes effect at the next start.
    public func makeHostKey() throws {
        try FileSystem.remove(hostKeyFile)
        switch kind {
        case .openSSH:
            let pair = try SSHKeyPair.generate(comment: "host")
            try AtomicFile.write(pair.privateKeyText, to: hostKeyFile, permissions: 0o600)
        case .dropbear:
            _ = try ChildProcess.run(["dropbearkey", "-t", "ed25519", "-f", hostKeyFile.string])
        }
    }

    public func start() throws {
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
                AllowTcpForwarding \(forwarding ? "yes" : "no")
                SetEnv HOME=\(home)

                """, to: configuration)
            let words = ["/usr/sbin/sshd", "-D", "-e", "-f", configuration.string]
            child = try ChildProcess.start(files.isEmpty ? words : inNamespace(try mounts(), words), options)
        case .dropbear:
            let words = ["dropbear", "-F", "-E", "-s", "-p", "127.0.0.1:\(port)", "-r", hostKeyFile.string]
            child = try ChildProcess.start(
                inNamespace([(home.string, realHome)] + (try mounts()), words + (forwarding ? [] : ["-j"])), options)
        }
        for _ in 0..<500 {
            if (try? transport.connect()) != nil { return }
            usleep(20_000)
        }
        throw Failure(reason: "the server does not start: \(logText)")
    }

    /// The files that are to be seen in the place of others.
    private func mounts() throws -> [(source: String, target: String)] {
        let folder = directory.path.appending("system")
        try FileSystem.makeDirectory(folder)
        return try files.sorted { $0.key < $1.key }.map { target, contents in
            let source = folder.appending(FilePath(target).lastComponent?.string ?? "file")
            let mode: UInt32 = target == "/etc/sudoers" ? 0o440 : contents.hasPrefix("#!") ? 0o755 : 0o644
            try AtomicFile.write(contents, to: source, permissions: mode)
            return (source.string, target)
        }
    }

    /// The command with the mounts, in a mount namespace of its own.
    private func inNamespace(_ mounts: [(source: String, target: String)], _ words: [String]) -> [String] {
        let script =
            "while [ \"$1\" != -- ]; do mount --bind \"$1\" \"$2\" || exit 1; shift 2; done; shift; exec \"$@\""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
            + mounts.flatMap { [$0.source, $0.target] } + ["--"] + words
    }

    /// Keeps a folder for as long as the server is there.
    public func keep(_ folder: TemporaryFolder) { kept.append(folder) }
    private var kept: [TemporaryFolder] = []

    public func stop() {
        guard let child = child.take() else { return }
        child.signal(SIGKILL)
        _ = try? child.wait()
    }

    public var logText: String {
        String(decoding: (try? FileSystem.read(directory.path.appending("log"))) ?? [], as: UTF8.self)
    }

    deinit { stop() }

    public func connect(_ options: SSHSession.Options = SSHSession.Options()) throws(SSHError) -> SSHSession {
        try SSHSession(to: transport, options)
    }

    public func logIn(_ key: SSHKeyPair, _ options: SSHSession.Options = SSHSession.Options()) throws(SSHError)
        -> SSHSession
    {
        let session = try connect(options)
        try session.authenticate(user: user, keys: [key])
        return session
    }
}
