import Glibc
import LinuxSystem
import SystemPackage

/// The host's resolvers, as resolv.conf(5) names them; read again when the file changes, as laptops change networks.
struct ResolverConfiguration {
    /// As many as the C library asks.
    static let limit = 3

    private(set) var servers: [SocketAddress] = []
    private var domains: [String] = []
    private var modified: (Int64, Int64, UInt64)?
    private var checked: MonotonicClock?
    /// nil for given servers.
    private let file: FilePath?

    /// Uses given servers for ever.
    init(servers: [SocketAddress]) {
        self.servers = servers
        file = nil
    }

    init(file: FilePath) { self.file = file }

    /// The servers at present.
    mutating func current(_ now: MonotonicClock) -> [SocketAddress] {
        guard let file else { return servers }
        if let checked, now.milliseconds(since: checked) < 1000 { return servers }
        checked = now
        guard let status = try? FileSystem.status(file) else { return servers }
        let stamp = (status.modified, status.modifiedNanoseconds, status.inode)
        if let modified, modified == stamp { return servers }
        guard let text = try? FileSystem.read(file, limit: 1 << 20) else { return servers }
        modified = stamp
        servers = Self.parse(String(decoding: text, as: UTF8.self))
        domains = Self.searchDomains(String(decoding: text, as: UTF8.self))
        return servers
    }

    /// The domains in which the host looks for short names.
    mutating func searchDomains(_ now: MonotonicClock) -> [String] {
        _ = current(now)
        return domains
    }

    /// The last `search` or `domain` line counts; the root stands for none.
    static func searchDomains(_ text: String) -> [String] {
        var domains: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            guard let key = words.first, key == "search" || key == "domain" else { continue }
            domains = words.dropFirst().filter { $0 != "." && DNSName($0) != nil }
        }
        return domains
    }

    static func parse(_ text: String) -> [SocketAddress] {
        let named = text.split(whereSeparator: \.isNewline).compactMap { line -> SocketAddress? in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return SocketAddress(String(words[1]), port: 53)
        }
        // Without any, the C library asks this host.
        let fallback = SocketAddress("127.0.0.1", port: 53).map { [$0] } ?? []
        return named.isEmpty ? fallback : Array(named.prefix(limit))
    }
}
