import Digest

/// A public key: a server's own, or one that a server accepts.
public struct SSHPublicKey: Hashable, Sendable {
    /// The key as on the wire (RFC 4253, section 6.6): the algorithm's name, then its numbers.
    public let blob: [UInt8]
    /// Such as `ssh-ed25519`.
    public let algorithm: String
    public var comment: String

    /// nil unless `blob` starts with an algorithm's name.
    public init?(blob: [UInt8], comment: String = "") {
        var reader = WireReader(blob)
        guard let name = reader.string(), !name.isEmpty, name.count <= 64, !reader.isAtEnd,
            name.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        self.blob = blob
        algorithm = String(decoding: name, as: UTF8.self)
        self.comment = comment
    }

    /// Reads a line such as `ssh-ed25519 AAAA... comment`, the form of `.pub` files and, without options,
    /// of `authorized_keys`.
    public init(parsing line: String) throws(SSHError) {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count >= 2, let blob = Base64.decode(fields[1].utf8) else {
            throw .invalidKey("a public key has the form 'ssh-ed25519 AAAA... comment'")
        }
        guard let key = SSHPublicKey(blob: blob, comment: fields.dropFirst(2).joined(separator: " ")) else {
            throw .invalidKey("the Base64 text of the public key holds no key")
        }
        guard key.algorithm == fields[0] else {
            throw .invalidKey("the public key is named '\(fields[0].prefix(64))' but holds '\(key.algorithm)'")
        }
        self = key
    }

    /// The key without the comment, which identifies it in `authorized_keys`.
    public var base64: String { Base64.encode(blob) }

    /// One line without a line break, for `authorized_keys` and `.pub` files.
    public var line: String { comment.isEmpty ? "\(algorithm) \(base64)" : "\(algorithm) \(base64) \(comment)" }

    /// The fingerprint as OpenSSH shows it: `SHA256:` and unpadded Base64.
    public var fingerprint: String {
        var checksum = Checksum(.sha256)
        checksum.update(blob)
        return "SHA256:" + Base64.encode(checksum.finish(), padded: false)
    }

    // The comment is no part of a key's identity.
    public static func == (left: Self, right: Self) -> Bool { left.blob == right.blob }
    public func hash(into hasher: inout Hasher) { hasher.combine(blob) }
}
