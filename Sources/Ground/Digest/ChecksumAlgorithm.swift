/// The checksums that box catalogues and users give.
public enum ChecksumAlgorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha256, sha384, sha512

    /// The size of the checksum, in bytes.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }
}
