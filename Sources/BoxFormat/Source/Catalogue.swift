internal import Digest
internal import JSON
internal import Reporting

/// A list of a box's versions, in the JSON format of Vagrant's catalogues.
public struct Catalogue: Sendable {
    /// Longer ones are refused, in bytes.
    static let sizeLimit = 20 << 20

    public struct Entry: Sendable, Hashable {
        public var provider: String
        /// As the catalogue gives it: absolute, or relative to the catalogue.
        public var url: String
        public var checksum: ExpectedChecksum?
        public var architecture: Architecture
        /// nil: the catalogue is older than architectures.
        public var isDefaultArchitecture: Bool?
    }
    public struct Version: Sendable, Hashable {
        public var version: BoxVersion
        public var entries: [Entry]
    }

    public var name: String
    public var description: String?
    /// Newest first.
    public var versions: [Version]

    /// The providers whose boxes wander runs, best first.
    public static let providers = ["wander", "libvirt", "qemu"]

    /// - Parameter place: How errors name the catalogue.
    /// - Throws: ``BoxSourceError/invalidCatalogue(_:reason:)``
    public init(parsing bytes: [UInt8], place: String) throws(BoxSourceError) {
        do {
            let root = try JSONObjectReader(JSONParser.parse(bytes, limit: Self.sizeLimit), path: "catalogue")
            name = try root.string("name")
            description = try root.optionalString("description")
            versions = try root.array("versions").compactMap { value in
                let reader = try JSONObjectReader(value, path: "versions")
                let text = try reader.string("version")
                guard let version = BoxVersion(text) else { throw BoxError.invalidVersion(text) }
                // Vagrant's registry marks what its author withdrew.
                guard try reader.optionalString("status") != "revoked" else { return nil }
                return Version(version: version, entries: try reader.array("providers").map { try Self.entry($0) })
            }.sorted { $0.version > $1.version }
        } catch let error as any UserFacingError {
            throw .invalidCatalogue(place, reason: error.summary)
        } catch { throw .invalidCatalogue(place, reason: "\(error)") }
    }

    private static func entry(_ value: JSONValue) throws -> Entry {
        let reader = try JSONObjectReader(value, path: "providers")
        let isDefault = reader.has("default_architecture")
        return Entry(
            provider: try reader.string("name"), url: try reader.string("url"),
            checksum: try ExpectedChecksum.read(
                reader.optionalString("checksum") ?? "", algorithm: reader.optionalString("checksum_type")),
            architecture: try reader.optionalString("architecture").map { text in try Architecture(text) } ?? .unknown,
            isDefaultArchitecture: isDefault ? try reader.bool("default_architecture", default: false) : nil)
    }

    /// The newest version that satisfies `requirement` and has a box that wander can run.
    /// - Parameter architecture: Exactly this one. nil takes the host's, or one that does not say its own.
    public func choose(
        _ requirement: VersionRequirement, architecture: Architecture?, providers: [String] = Catalogue.providers
    ) -> (version: BoxVersion, entry: Entry)? {
        for version in versions where requirement.isSatisfied(by: version.version) {
            for provider in providers {
                let entries = version.entries.filter { $0.provider == provider }
                if let entry = Self.choose(entries, architecture) { return (version.version, entry) }
            }
        }
        return nil
    }

    private static func choose(_ entries: [Entry], _ architecture: Architecture?) -> Entry? {
        if let architecture { return entries.first { $0.architecture == architecture } }
        if let entry = entries.first(where: { $0.architecture == .host }) { return entry }
        if let entry = entries.first(where: { $0.architecture == .unknown && $0.isDefaultArchitecture == true }) {
            return entry
        }
        if entries.count == 1, entries[0].isDefaultArchitecture == nil { return entries[0] }
        return nil
    }

    /// The versions with a box that wander can run, newest first.
    public func available(architecture: Architecture?) -> [BoxVersion] {
        versions.map(\.version).filter { choose(VersionRequirement(exactly: $0), architecture: architecture) != nil }
    }
}
