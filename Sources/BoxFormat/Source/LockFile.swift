public import Digest
internal import JSON
public import LinuxSystem
internal import Reporting
public import SystemPackage

/// `Wanderfile.lock`: which box, down to its digest, each name in the Wanderfile means. It belongs in version control
/// beside the Wanderfile, so that everybody gets the same machine.
public struct LockFile: Hashable, Sendable {
    public static let fileName = "Wanderfile.lock"
    static let sizeLimit = 4 << 20

    public struct Entry: Hashable, Sendable {
        public var box: BoxIdentity
        /// The archive's digest.
        public var digest: SHA256Digest
        /// Where it came from, without credentials.
        public var source: String
        /// The difference between URLs that differ only in what ``source`` leaves out; see ``BoxLocation/queryDigest``.
        public var queryDigest: String?
        /// What the publisher's list said of it, where that is no SHA-256.
        public var published: ExpectedChecksum?

        init(box: BoxIdentity, digest: SHA256Digest, source: String, queryDigest: String? = nil) {
            self.box = box
            self.digest = digest
            self.source = source
            self.queryDigest = queryDigest
        }

        /// The entry for what `request` was answered with.
        init(_ box: Box, for request: BoxRequest) {
            self.init(
                box: box.identity, digest: box.digest, source: request.lockedSource(box.source),
                queryDigest: request.name == nil ? request.location?.queryDigest : nil)
            if request.name != nil, box.catalogue != nil {
                published = box.checksums.first { $0.algorithm != .sha256 }
            }
        }
    }

    /// The entries, sorted by name, version and architecture.
    public private(set) var entries: [Entry] = []

    public init() {}

    /// The lock file at `path`; empty if there is none.
    /// - Throws: ``BoxSourceError/invalidLock(_:reason:)``
    public static func read(_ path: FilePath) throws(BoxSourceError) -> LockFile {
        guard !FileSystem.isAbsent(path) else { return LockFile() }
        do {
            return try LockFile(parsing: GuardedPath(path).read(limit: sizeLimit))
        } catch let error as any UserFacingError {
            throw .invalidLock(path, reason: error.summary)
        } catch { throw .invalidLock(path, reason: "\(error)") }
    }

    init(parsing bytes: [UInt8]) throws {
        let root = try JSONObjectReader(JSONParser.parse(bytes, limit: Self.sizeLimit), path: Self.fileName)
        guard try root.integer("schema") == 1 else { throw JSONError.wrongType("schema", expected: "1") }
        for value in try root.array("boxes") {
            let reader = try JSONObjectReader(value, path: "boxes")
            let version = try reader.string("version")
            guard let version = BoxVersion(version) else { throw BoxError.invalidVersion(version) }
            guard let digest = SHA256Digest(try reader.string("sha256")) else {
                throw JSONError.wrongType("sha256", expected: "64 hexadecimal digits")
            }
            let identity = BoxIdentity(
                name: try BoxName(reader.string("name")), version: version,
                architecture: try Architecture(reader.string("architecture")))
            var entry = Entry(
                box: identity, digest: digest, source: try reader.string("source"),
                queryDigest: try reader.optionalString("query_digest"))
            entry.published = try reader.optionalString("published").flatMap { try ExpectedChecksum.read($0) }
            set(entry)
        }
    }

    /// The entry for a box that satisfies all of these, the newest if there are several.
    public func entry(
        _ name: BoxName, _ requirement: VersionRequirement = .any, architecture: Architecture = .host
    ) -> Entry? {
        entries.filter { entry in
            entry.box.name == name && requirement.isSatisfied(by: entry.box.version)
                && (entry.box.architecture == architecture || entry.box.architecture == .unknown)
        }.max { $0.box.version < $1.box.version }
    }

    /// The entry for the box that `request` asks for.
    public func entry(for request: BoxRequest) -> Entry? {
        if let name = request.name {
            return entry(name, request.requirement, architecture: request.storeArchitecture)
        }
        guard let location = request.location else { return nil }
        let source = request.lockedSource(location.shown)
        return entries.last { entry in
            guard entry.source == source else { return false }
            if entry.queryDigest != nil || location.queryDigest == nil {
                return entry.queryDigest == location.queryDigest
            }
            // Written before there were such digests: the name that a box without one gets has the whole URL in it.
            return entry.box.name == request.fallbackName
        }
    }

    /// Puts an entry in the place of the one for the same name, version and architecture.
    mutating func set(_ entry: Entry) {
        entries.removeAll { $0.box == entry.box }
        entries.append(entry)
        entries.sort { left, right in
            if left.box.name != right.box.name { return left.box.name < right.box.name }
            if left.box.version != right.box.version { return left.box.version < right.box.version }
            return left.box.architecture < right.box.architecture
        }
    }

    mutating func remove(_ box: BoxIdentity) { entries.removeAll { $0.box == box } }

    /// Removes entries that no machine of the project needs.
    public mutating func keep(only isNeeded: (Entry) -> Bool) { entries.removeAll { !isNeeded($0) } }

    /// The file's text. The same entries give the same bytes, with one block for each box, so that version control
    /// merges it well.
    public var text: String {
        let boxes = entries.map { entry -> JSONValue in
            .object(
                [
                    JSONMember("name", .string(entry.box.name.description)),
                    JSONMember("version", .string(entry.box.version.description)),
                    JSONMember("architecture", .string(entry.box.architecture.description)),
                    JSONMember("sha256", .string(entry.digest.hexadecimal)),
                    JSONMember("source", .string(entry.source)),
                ] + (entry.queryDigest.map { [JSONMember("query_digest", .string($0))] } ?? [])
                    + (entry.published.map { [JSONMember("published", .string($0.description))] } ?? []))
        }
        let value: JSONValue = ["schema": 1, "boxes": .array(boxes)]
        return value.pretty
    }

    /// Writes the file whole or not at all.
    public func write(_ path: FilePath) throws(SystemError) {
        try AtomicFile.removeLeftovers(in: path.removingLastComponent(), of: Self.fileName)
        try AtomicFile.write(text, to: path)
    }
}
