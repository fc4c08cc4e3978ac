/// A `Host` block for ssh(1), as `wander ssh-config` prints it.
public struct SSHConfigBlock: Hashable, Sendable {
    public var host: String
    public var hostName: String
    public var port: UInt16
    public var user: String
    public var identityFiles: [String]
    /// A file that holds the machine's host key. nil turns the check off, for a machine that was never reached.
    public var knownHostsFile: String?
    /// The name under which the key stands in that file.
    public var hostKeyAlias: String?
    public var forwardAgent = false
    /// Instead of a connection by TCP.
    public var proxyCommand: String?
    /// More lines, as they are.
    public var extra: [(String, String)] = []

    public init(
        host: String, hostName: String = "127.0.0.1", port: UInt16, user: String, identityFiles: [String],
        knownHostsFile: String? = nil, hostKeyAlias: String? = nil
    ) {
        self.host = host
        self.hostName = hostName
        self.port = port
        self.user = user
        self.identityFiles = identityFiles
        self.knownHostsFile = knownHostsFile
        self.hostKeyAlias = hostKeyAlias
    }

    /// The settings in order, for this block or as `-o` options.
    public var settings: [(String, String)] {
        var settings = [("HostName", hostName), ("Port", String(port)), ("User", user)]
        settings += identityFiles.map { ("IdentityFile", Self.quoted($0)) }
        settings.append(("IdentitiesOnly", "yes"))
        if let knownHostsFile {
            settings += [("UserKnownHostsFile", Self.quoted(knownHostsFile)), ("StrictHostKeyChecking", "yes")]
            if let hostKeyAlias { settings.append(("HostKeyAlias", hostKeyAlias)) }
        } else {
            settings += [("UserKnownHostsFile", "/dev/null"), ("StrictHostKeyChecking", "no")]
        }
        settings += [("PasswordAuthentication", "no"), ("LogLevel", "ERROR")]
        if forwardAgent { settings.append(("ForwardAgent", "yes")) }
        if let proxyCommand { settings.append(("ProxyCommand", proxyCommand)) }
        return settings + extra
    }

    /// Ends with a line break.
    public var rendered: String {
        "Host \(host)\n" + settings.map { "  \($0.0) \($0.1)\n" }.joined()
    }

    /// ssh_config(5) expands `%`, splits at spaces, and has no escape for a double quote.
    static func quoted(_ path: String) -> String {
        let escaped = path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
        return escaped.contains(where: \.isWhitespace) ? "\"\(escaped)\"" : escaped
    }

    public static func == (left: Self, right: Self) -> Bool { left.rendered == right.rendered }
    public func hash(into hasher: inout Hasher) { hasher.combine(rendered) }
}

extension SSHPublicKey {
    /// A line for known_hosts (sshd(8)).
    /// - Parameter name: A host's name, `[address]:port`, or an alias.
    public func knownHostsLine(for name: String) -> String { "\(name) \(algorithm) \(base64)\n" }
}
