/// The URL of a web proxy: `http://user:password@proxy.example.test:3128`. Plain characters alone: it goes into files
/// of several programs, each with quoting of its own.
public struct ProxyURL: Hashable, Sendable, CustomStringConvertible {
    public var scheme: String
    /// `user:password`, as it is in the URL; nil for none.
    public var credentials: String?
    public var host: String
    public var port: UInt16?

    /// - Parameter text: `http://` is added where there is no scheme, as in many an environment.
    public init?(_ text: String) {
        let parts = text.split(separator: "://", maxSplits: 1).map(String.init)
        scheme = parts.count == 2 ? parts[0] : "http"
        guard ["http", "https"].contains(scheme), var rest = parts.last, text.utf8.count <= 1024 else { return nil }
        while rest.hasSuffix("/") { rest.removeLast() }
        if let at = rest.lastIndex(of: "@") {
            credentials = String(rest[..<at])
            rest = String(rest[rest.index(after: at)...])
        }
        let plain: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "-._~%!*+=:,".contains($0)) }
        guard credentials.map({ !$0.isEmpty && $0.allSatisfy(plain) }) ?? true else { return nil }
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
            guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else { return nil }
            port = number
            rest = String(rest[..<colon])
        }
        let isAddress = rest.hasPrefix("[") && rest.hasSuffix("]")
        let name = isAddress ? rest.dropFirst().dropLast() : rest[...]
        guard !name.isEmpty,
            name.allSatisfy({
                $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0) || (isAddress && $0 == ":"))
            })
        else { return nil }
        host = rest
    }

    public var description: String { text(credentials: credentials) }
    /// Fit to be shown.
    public var masked: String { text(credentials: credentials == nil ? nil : "***") }

    private func text(credentials: String?) -> String {
        "\(scheme)://\(credentials.map { "\($0)@" } ?? "")\(host)\(port.map { ":\($0)" } ?? "")"
    }

    /// The port that it is reached at.
    public var effectivePort: UInt16 { port ?? (scheme == "https" ? 443 : 80) }

    /// Whether it listens on the host itself, where no machine reaches it by this name.
    public var isLoopback: Bool {
        let name = host.lowercased()
        return name == "localhost" || name == "[::1]" || name.hasPrefix("127.")
    }
}
