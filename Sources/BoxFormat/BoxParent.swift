public import Digest
internal import JSON

/// The box that a thin box is based on, as the thin box names it.
public struct BoxParent: Hashable, Sendable {
    public var identity: BoxIdentity
    /// The digest of the parent's archive: no other box fits.
    public var digest: SHA256Digest
    /// A URL or catalogue to get it from; nil if it came from a file.
    public var source: String?

    /// What a thin box calls its layer of changes.
    public static let changesName = "changes.qcow2"

    public init(of box: Box) {
        identity = box.identity
        digest = box.digest
        source = box.catalogue ?? (box.source.contains("://") ? box.source : nil)
    }

    init(_ reader: JSONObjectReader) throws {
        let text = try reader.string("version")
        guard let version = BoxVersion(text) else { throw BoxError.invalidVersion(text) }
        let digits = try reader.string("digest")
        guard let digest = SHA256Digest(digits) else {
            throw BoxError.invalidMetadata("the parent's digest is not 'sha256:' and 64 digits")
        }
        identity = BoxIdentity(
            name: try BoxName(reader.string("name")), version: version,
            architecture: try Architecture(reader.string("architecture")))
        self.digest = digest
        let source = try reader.optionalString("source")
        guard source.map({ $0.utf8.count <= 2048 && $0.utf8.allSatisfy { (0x21..<0x7f).contains($0) } }) ?? true else {
            throw BoxError.invalidMetadata("the parent's source is no URL")
        }
        self.source = source
    }

    var json: JSONValue {
        [
            "name": .string(identity.name.description), "version": .string(identity.version.description),
            "architecture": .string(identity.architecture.description), "digest": .string(digest.description),
            "source": .optional(source),
        ]
    }
}
