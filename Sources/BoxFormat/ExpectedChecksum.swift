public import Digest

/// A checksum that the user or a catalogue states for an archive.
public struct ExpectedChecksum: Hashable, Sendable, CustomStringConvertible {
    public let algorithm: ChecksumAlgorithm
    /// Lower-case hexadecimal, of the algorithm's length.
    public let hexadecimal: String

    public init(_ digest: SHA256Digest) {
        algorithm = .sha256
        hexadecimal = digest.hexadecimal
    }

    /// Reads a checksum as people paste it, with space around it, in upper case, or as `ALGORITHM:DIGITS`.
    /// - Parameter algorithm: Without it the prefix or the length decides.
    /// - Returns: nil for an empty text, which catalogues use for "none".
    /// - Throws: ``BoxError/invalidChecksum(_:)``
    public static func read(_ text: String, algorithm named: String? = nil) throws(BoxError) -> ExpectedChecksum? {
        var digits = text.trimmed.lowercased()
        guard !digits.isEmpty else { return nil }
        var name = named?.trimmed.lowercased() ?? ""
        if let colon = digits.firstIndex(of: ":") {
            name = name.isEmpty ? String(digits[..<colon]) : name
            digits = String(digits[digits.index(after: colon)...])
        }
        let algorithm =
            name.isEmpty
            ? ChecksumAlgorithm.allCases.first { $0.byteCount * 2 == digits.utf8.count }
            : ChecksumAlgorithm(rawValue: name)
        guard let algorithm, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { throw .invalidChecksum(text) }
        // One of a wrong length can match nothing: that is found when the archive's is known, and named with it.
        return ExpectedChecksum(algorithm: algorithm, hexadecimal: digits)
    }

    private init(algorithm: ChecksumAlgorithm, hexadecimal: String) {
        self.algorithm = algorithm
        self.hexadecimal = hexadecimal
    }

    public var description: String { "\(algorithm.rawValue):\(hexadecimal)" }

    /// - Throws: ``BoxError/checksumMismatch(algorithm:expected:actual:)``
    func compare(with actual: String) throws(BoxError) {
        guard actual == hexadecimal else {
            throw .checksumMismatch(algorithm: algorithm, expected: hexadecimal, actual: actual)
        }
    }
}
