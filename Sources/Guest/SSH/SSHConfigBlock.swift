/// A `Host` block for ssh(1), as `wander ssh-config` prints it.
public struct SSHConfigBlock: Hashable, Sendable {
    public var host: String
    public var hostName: String
    public var port: UInt16
    public var user: String
    public var identityFiles: [String]
    /// A file that holds the machine's host key. nil turns the check off, for a machine that was never reached.
    public var knownHostsFile: String?
    /// The name of the key in that file.
    public var hostKeyAlias: String?
    public var forwardAgent = false
    /// The words of a command that ssh(1) uses instead of a TCP connection. The host's shell reads them too, so plain
    /// words are best.
    public var proxyCommand: [String]?
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
        if let proxyCommand {
            let line = proxyCommand.map { ShellQuoting.quote($0) }.joined(separator: " ")
            settings.append(("ProxyCommand", Self.withoutTokens(line)))
        }
        return settings + extra
    }

    /// Ends with a line break.
    public var rendered: String {
        "Host \(host)\n" + settings.map { "  \($0.0) \($0.1)\n" }.joined()
    }

    /// A whole file for ssh(1) that makes it run a command line on `host`, since everybody can see its arguments
    /// (ps(1)). The user's and the system's files apply too.
    public static func file(running line: String, on host: String) -> String {
        """
        Host \(host)
          RemoteCommand \(withoutTokens(line))
        Host *
          Include ~/.ssh/config
          Include /etc/ssh/ssh_config

        """
    }

    /// A path as ssh_config(5) reads it: it expands `%`, splits at spaces, and knows `\"` and `\\` in double quotes
    /// (since OpenSSH 8.7). It also expands `${NAME}`, and has no escape for that.
    static func quoted(_ path: String) -> String {
        let escaped = String(
            String.UnicodeScalarView(
                path.unicodeScalars.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] as [Unicode.Scalar] }))
        let isPlain = escaped == path && !path.isEmpty && !path.contains { $0.isWhitespace || "'#=".contains($0) }
        return isPlain ? withoutTokens(path) : "\"\(withoutTokens(escaped))\""
    }

    private static func withoutTokens(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.flatMap { $0 == "%" ? [$0, $0] : [$0] }))
    }

    public static func == (left: Self, right: Self) -> Bool { left.rendered == right.rendered }
    public func hash(into hasher: inout Hasher) { hasher.combine(rendered) }
}

extension SSHPublicKey {
    /// A line for known_hosts (sshd(8)).
    /// - Parameter name: A host's name, `[address]:port`, or an alias.
    public func knownHostsLine(for name: String) -> String { "\(name) \(algorithm) \(base64)\n" }
}
