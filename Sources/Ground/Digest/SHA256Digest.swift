import Reporting

/// A SHA-256 digest, by which wander names what a box contains. Its text is `sha256:` and 64 hexadecimal digits.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public let hexadecimal: String

    /// Reads `sha256:` and 64 hexadecimal digits of either case; the prefix may be missing. nil for anything else.
    public init?(_ text: String) {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard digits.utf8.count == 64, digits.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            return nil
        }
        hexadecimal = digits.lowercased()
    }

    /// The digest of `bytes`.
    public init(of bytes: [UInt8]) {
        var checksum = Checksum(.sha256)
        checksum.update(bytes)
        self.init(result: checksum.finish())
    }

    /// - Parameter result: What ``Checksum/finish()`` returned for ``ChecksumAlgorithm/sha256``.
    public init(result: [UInt8]) { hexadecimal = Reporting.hexadecimal(result) }

    public var description: String { "sha256:\(hexadecimal)" }
    /// Enough to tell digests apart by eye.
    public var short: String { String(hexadecimal.prefix(12)) }
}
