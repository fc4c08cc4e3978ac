public import Digest
public import LinuxSystem
public import Reporting
public import SystemPackage

/// A small file of the web that is known by its digest. It is downloaded once, and comes from the cache after that.
public struct PinnedFile: Sendable {
    public var url: String
    public var digest: SHA256Digest
    /// The largest that it may be, in bytes.
    public var limit: Int

    public init(url: String, digest: SHA256Digest, limit: Int) {
        self.url = url
        self.digest = digest
        self.limit = limit
    }

    /// What the file has.
    /// - Parameter cache: The folder of such files, by their digests; nil: nothing is kept.
    /// - Throws: ``BoxSourceError``, or `SystemError`.
    public func read(
        cache: FilePath?, sink: any EventSink = SilentSink(), cancellation: Cancellation? = nil
    ) throws -> [UInt8] {
        if let bytes = cache.flatMap(kept) { return bytes }
        let bytes = try Self.download(url, limit: limit, sink: sink, cancellation: cancellation)
        let actual = SHA256Digest(of: bytes)
        guard actual == digest else {
            throw Changed(url: try BoxLocation(url).shown, expected: digest, actual: actual)
        }
        if let cache {
            try FileSystem.makeDirectory(cache, permissions: 0o700)
            try AtomicFile.write(bytes, to: place(in: cache), permissions: 0o600)
        }
        return bytes
    }

    /// What the cache has of it; nil also for what is not the file any longer.
    public func kept(in cache: FilePath) -> [UInt8]? {
        guard let bytes = try? FileSystem.readIfThere(place(in: cache), limit: limit) else { return nil }
        return SHA256Digest(of: bytes) == digest ? bytes : nil
    }

    private func place(in cache: FilePath) -> FilePath { cache.appending(digest.hexadecimal) }

    /// What the URL has now.
    public static func download(
        _ url: String, limit: Int, sink: any EventSink = SilentSink(), cancellation: Cancellation? = nil
    ) throws -> [UInt8] {
        let location = try BoxLocation(url)
        let folder = try TemporaryPlace()
        var downloader = Downloader()
        downloader.sizeLimit = UInt64(limit)
        let target = folder.path.appending("file")
        try downloader.download(
            location, to: target, label: "downloading \(location.shown)", sink: sink, cancellation: cancellation)
        return try FileSystem.read(target, limit: limit)
    }

    /// A folder for one download, which goes with the value.
    private final class TemporaryPlace {
        let path: FilePath

        init() throws(SystemError) {
            let base = FilePath(environmentVariable("TMPDIR").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp")
            path = base.appending("wander-file-\(randomIdentifier(bytes: 8))")
            try FileSystem.makeDirectory(path, permissions: 0o700)
        }

        deinit { try? FileSystem.removeTree(path) }
    }

    /// The URL has another file by now.
    public struct Changed: UserFacingError, Equatable {
        public var url: String
        public var expected: SHA256Digest
        public var actual: SHA256Digest

        public var summary: String { "\(url) is not the file with the digest that is written here" }
        public var detail: String? { "expected \(expected)\n   found \(actual)" }
        public var remedy: String? { "Look at what has changed there, then write the new digest." }
        public var kind: ErrorKind { .digestMismatch }
    }
}
