import CLibSSH2
import LinuxSystem

/// A private key and its public half, in memory; ``privateKeyText`` belongs in a file of mode 0600.
public struct SSHKeyPair: Sendable, Equatable {
    enum Secret: Equatable {
        case ed25519(seed: [UInt8])
        case rsa(pem: [UInt8])
    }

    let secret: Secret
    public let publicKey: SSHPublicKey
    /// The private key in the format that OpenSSH and libssh2 read.
    public let privateKeyText: String

    /// Makes a new Ed25519 pair.
    public static func generate(comment: String) throws(SSHError) -> SSHKeyPair {
        try SSHKeyPair(ed25519Seed: randomBytes(count: 32), comment: comment)
    }

    init(ed25519Seed seed: [UInt8], comment: String) throws(SSHError) {
        guard let handle = PrivateKeyHandle(ed25519Seed: seed), let point = handle.ed25519PublicKey else {
            throw .invalidKey("libcrypto cannot use the Ed25519 key")
        }
        var blob = WireWriter()
        blob.string("ssh-ed25519")
        blob.string(point)
        guard let publicKey = SSHPublicKey(blob: blob.bytes, comment: comment) else {
            throw .invalidKey("libcrypto made no Ed25519 key")
        }
        self.init(
            secret: .ed25519(seed: seed), publicKey: publicKey,
            privateKeyText: OpenSSHPrivateKey.encode(seed: seed, point: point, publicKey: publicKey))
    }

    /// Reads an unencrypted private key: OpenSSH's own format with Ed25519, or PEM with RSA.
    public init(parsing text: String) throws(SSHError) {
        guard text.utf8.count <= 64 << 10 else { throw .invalidKey("it is larger than 64 KiB") }
        if text.contains(OpenSSHPrivateKey.header) {
            let (seed, comment) = try OpenSSHPrivateKey.decode(text)
            try self.init(ed25519Seed: seed, comment: comment)
            return
        }
        if text.contains("ENCRYPTED") { throw .invalidKey("it is protected by a password") }
        let pem = Array(text.utf8)
        guard let handle = PrivateKeyHandle(pem: pem) else {
            throw .invalidKey("it is no private key in a known format")
        }
        guard handle.isRSA, let modulus = handle.number("n"), let exponent = handle.number("e") else {
            throw .invalidKey("only Ed25519 and RSA keys are supported")
        }
        var blob = WireWriter()
        blob.string("ssh-rsa")
        blob.magnitude(exponent)
        blob.magnitude(modulus)
        guard let publicKey = SSHPublicKey(blob: blob.bytes) else { throw .invalidKey("the RSA key is empty") }
        self.init(secret: .rsa(pem: pem), publicKey: publicKey, privateKeyText: text)
    }

    private init(secret: Secret, publicKey: SSHPublicKey, privateKeyText: String) {
        self.secret = secret
        self.publicKey = publicKey
        self.privateKeyText = privateKeyText
    }

    /// The signature algorithms to try with a server, best first (RFC 8332 for RSA; SHA-1 only for old servers).
    var signatureAlgorithms: [String] {
        switch secret {
        case .ed25519: ["ssh-ed25519"]
        case .rsa: ["rsa-sha2-256", "ssh-rsa"]
        }
    }

    /// - Returns: The signature's own bytes, without the algorithm's name around them; nil if libcrypto fails.
    func sign(_ data: UnsafeBufferPointer<UInt8>, algorithm: String) -> [UInt8]? {
        switch secret {
        case .ed25519(let seed): PrivateKeyHandle(ed25519Seed: seed)?.sign(data, digest: nil)
        case .rsa(let pem):
            PrivateKeyHandle(pem: pem)?.sign(data, digest: algorithm == "ssh-rsa" ? EVP_sha1() : EVP_sha256())
        }
    }

    // The text of one key differs each time it is written.
    public static func == (left: Self, right: Self) -> Bool { left.secret == right.secret }
}
