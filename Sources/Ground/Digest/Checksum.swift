internal import CLibCrypto

/// A checksum (FIPS 180-4, RFC 1321) computed piece by piece.
@safe public struct Checksum: ~Copyable {
    private var md5 = MD5_CTX()
    private var sha1 = SHA_CTX()
    private var sha256 = SHA256_CTX()
    private var sha512 = SHA512_CTX()
    public let algorithm: ChecksumAlgorithm

    public init(_ algorithm: ChecksumAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .md5: unsafe MD5_Init(&md5)
        case .sha1: unsafe SHA1_Init(&sha1)
        case .sha256: unsafe SHA256_Init(&sha256)
        case .sha384: unsafe SHA384_Init(&sha512)
        case .sha512: unsafe SHA512_Init(&sha512)
        }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        switch algorithm {
        case .md5: unsafe MD5_Update(&md5, start, bytes.count)
        case .sha1: unsafe SHA1_Update(&sha1, start, bytes.count)
        case .sha256: unsafe SHA256_Update(&sha256, start, bytes.count)
        case .sha384: unsafe SHA384_Update(&sha512, start, bytes.count)
        case .sha512: unsafe SHA512_Update(&sha512, start, bytes.count)
        }
    }

    public mutating func update(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    /// The checksum of everything so far. Ends the computation.
    public consuming func finish() -> [UInt8] {
        let count = algorithm.byteCount
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            switch algorithm {
            case .md5: unsafe MD5_Final(buffer.baseAddress, &md5)
            case .sha1: unsafe SHA1_Final(buffer.baseAddress, &sha1)
            case .sha256: unsafe SHA256_Final(buffer.baseAddress, &sha256)
            case .sha384: unsafe SHA384_Final(buffer.baseAddress, &sha512)
            case .sha512: unsafe SHA512_Final(buffer.baseAddress, &sha512)
            }
            initialized = count
        }
    }
}
