internal import CLinux
internal import Digest
internal import JSON
internal import LinuxSystem
internal import Reporting
public import SystemPackage

/// Downloads files with curl(1), which supports proxies, `.netrc`, certificates and HTTP/2, and costs nothing until it
/// runs.
///
/// The body comes through a pipe: if wander dies, curl does too, and no leftover curl writes into a file that another
/// process reads.
public struct Downloader: Sendable {
    public struct Options: Sendable {
        /// Takes any certificate.
        public var insecure = false
        public var certificateAuthorities: FilePath?
        public var certificateAuthoritiesFolder: FilePath?
        public var clientCertificate: FilePath?
        /// Sends credentials also to hosts that the first one redirects to.
        public var trustRedirects = false
        public init() {}
    }

    public var options: Options
    /// The largest file, in bytes.
    var sizeLimit: UInt64 = 1 << 40
    /// How often a transfer may end without having brought much.
    var attempts = 4
    /// What counts as much, in bytes: a long download over a bad line goes on as long as it gets anywhere.
    private static let advance: UInt64 = 8 << 20
    /// A server that says nothing for so long is given up, in seconds.
    var patience = 30

    public init(_ options: Options = Options()) { self.options = options }

    /// What is known about a part that arrived: enough to ask for the rest, and only of the same file.
    struct Part: Equatable {
        /// A strong ETag or a Last-Modified date (RFC 9110, section 13.1.5).
        var validator: String?
        var total: UInt64?

        static func read(_ path: FilePath) -> Part {
            guard let bytes = try? FileSystem.read(path, limit: 1 << 16), let value = try? JSONParser.parse(bytes)
            else {
                return Part()
            }
            return Part(
                validator: value["validator"]?.stringValue,
                total: value["total"]?.integerValue.flatMap { UInt64(exactly: $0) })
        }
        func write(_ path: FilePath) throws(SystemError) {
            let value: JSONValue = [
                "schema": 1, "validator": .optional(validator), "total": total.map { .size($0) } ?? .null,
            ]
            try AtomicFile.write(value.pretty, to: path, permissions: 0o600)
        }
    }

    /// Downloads `location` to `target`, going on where an earlier attempt ended if the file is still the same.
    /// The caller holds a lock for `target`.
    /// - Returns: When the file was changed last, as far as the server says, in seconds since 1970.
    @discardableResult
    func download(
        _ location: BoxLocation, to target: FilePath, label: String, sink: any EventSink, cancellation: Cancellation?
    ) throws -> Int64? {
        guard case .web(let url) = location else { throw BoxSourceError.invalidLocation(location.shown) }
        let folder = target.removingLastComponent()
        try FileSystem.makeDirectory(folder, permissions: 0o700)
        let note = FilePath("\(target).part.json")
        let partPath = FilePath("\(target).part")
        var attempt = 0
        // A server that is overloaded gets time.
        var pace = Pace(first: .seconds(1), growing: 2, most: .seconds(30))
        while true {
            attempt += 1
            var part = Part.read(note)
            var size = UInt64(clamping: try FileSystem.status(partPath, followLinks: false)?.size ?? 0)
            if part.validator == nil || size == 0 || size > part.total ?? .max {
                try FileSystem.remove(partPath)
                part = Part()
                size = 0
            }
            if let total = part.total, total == size { break }
            let transfer = Transfer(
                url: url, location: location, options: options, partPath: partPath, notePath: note, start: size,
                validator: part.validator, sizeLimit: sizeLimit, patience: patience, label: label, sink: sink,
                cancellation: cancellation)
            switch try transfer.run() {
            case .complete(let modified):
                sink.report(.finished(label: label))
                try finish(partPath, note, target)
                return modified
            case .changed:
                // Another file by now, or a server without ranges: from the start.
                try FileSystem.remove(partPath)
                try FileSystem.remove(note)
                if attempt >= attempts {
                    throw BoxSourceError.downloadFailed(url: location.shown, reason: "it keeps changing")
                }
            case .broken(let reason, let received):
                let resumes = Part.read(note).validator != nil && size + received > 0
                if resumes, received >= Self.advance { attempt = 0 }
                // Who sent nothing in all that time is asked once more, not three times.
                if received == 0, transfer.hasStalled(reason) { attempt += 1 }
                guard attempt < attempts else {
                    throw BoxSourceError.downloadFailed(url: location.shown, reason: reason, resumes: resumes)
                }
                sink.report(
                    .note("the download broke off (\(reason)); " + (resumes ? "going on" : "starting over")))
                MonotonicClock.sleep(milliseconds: pace.nextMilliseconds(), unless: cancellation)
                try cancellation?.check()
            }
        }
        sink.report(.finished(label: label))
        try finish(partPath, note, target)
        return nil
    }

    private func finish(_ part: FilePath, _ note: FilePath, _ target: FilePath) throws(SystemError) {
        // An empty file left no part.
        if try !FileSystem.exists(part) { try AtomicFile.write("", to: part, permissions: 0o600) }
        try FileSystem.rename(part, to: target)
        try FileSystem.remove(note)
    }
}
