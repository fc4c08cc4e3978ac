internal import Digest
internal import LinuxSystem
public import SystemPackage

/// Where a box or a catalogue is: a file of this machine, or a URL.
public enum BoxLocation: Hashable, Sendable {
    case file(FilePath)
    /// `http://` or `https://`. May contain credentials: show ``shown``, never this.
    case web(String)

    /// - Parameter base: What a relative path is relative to.
    /// - Throws: ``BoxSourceError/invalidLocation(_:)``
    public init(_ text: String, relativeTo base: FilePath? = nil) throws(BoxSourceError) {
        guard !text.isEmpty, text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw .invalidLocation(BoxLocation.web(String(text.prefix(200))).shown)
        }
        let lower = text.lowercased()
        if lower.hasPrefix("http://") || lower.hasPrefix("https://") {
            guard !text.utf8.contains(UInt8(ascii: " ")), Self.authority(of: text)?.isEmpty == false else {
                throw .invalidLocation(BoxLocation.web(text).shown)
            }
            self = .web(text)
        } else if lower.hasPrefix("file://") {
            let rest = text.dropFirst("file://".count)
            guard let slash = rest.firstIndex(of: "/"), ["", "localhost"].contains(rest[..<slash]),
                let path = Self.percentDecoded(rest[slash...])
            else { throw .invalidLocation(text) }
            self = .file(FilePath(path))
        } else {
            guard lower.firstRange(of: "://") == nil else { throw .invalidLocation(BoxLocation.web(text).shown) }
            let path = FilePath(text)
            self = .file(path.isAbsolute ? path : base.map { $0.pushing(path) } ?? path)
        }
    }

    /// The location that `text` in a catalogue at this location means.
    func resolving(_ text: String) throws(BoxSourceError) -> BoxLocation {
        switch self {
        case .file(let path): return try BoxLocation(text, relativeTo: path.removingLastComponent())
        case .web(let url):
            if text.firstRange(of: "://") != nil { return try BoxLocation(text) }
            let bare = url.prefix { $0 != "?" && $0 != "#" }
            guard let scheme = bare.firstRange(of: "://") else { throw .invalidLocation(text) }
            if text.hasPrefix("/") {
                let end = bare[scheme.upperBound...].firstIndex(of: "/") ?? bare.endIndex
                return try BoxLocation(bare[..<end] + text)
            }
            let afterScheme = bare[scheme.upperBound...]
            let folder = afterScheme.lastIndex(of: "/").map { bare[...$0] } ?? bare + "/"
            return try BoxLocation(folder + text)
        }
    }

    /// The location without what may be secret: user, password, query, fragment.
    public var shown: String {
        switch self {
        case .file(let path): return path.string
        case .web(let url):
            let bare = String(url.prefix { $0 != "?" && $0 != "#" })
            guard let authority = Self.authority(of: bare), let at = authority.lastIndex(of: "@"),
                let scheme = bare.firstRange(of: "://")
            else { return bare }
            return String(bare[..<scheme.upperBound] + bare[bare.index(after: at)...])
        }
    }

    /// The digest of a URL's query, which ``shown`` leaves out because it may be secret; nil if it has none. Short: it
    /// tells the URLs of a project apart, and is no way back to a password.
    var queryDigest: String? {
        guard case .web(let url) = self else { return nil }
        let rest = url.prefix { $0 != "#" }
        guard let mark = rest.firstIndex(of: "?") else { return nil }
        return String(SHA256Digest(of: Array(rest[mark...].utf8)).hexadecimal.prefix(8))
    }

    var isEncrypted: Bool {
        if case .web(let url) = self { url.lowercased().hasPrefix("https://") } else { false }
    }

    /// `USER:PASSWORD@HOST:PORT`.
    private static func authority(of url: String) -> Substring? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        return url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), value != 0
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
