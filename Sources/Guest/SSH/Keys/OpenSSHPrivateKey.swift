import Digest
import LinuxSystem

/// OpenSSH's private key format, unencrypted, with one Ed25519 key (PROTOCOL.key in the OpenSSH sources).
enum OpenSSHPrivateKey {
    static let header = "-----BEGIN OPENSSH PRIVATE KEY-----"
    private static let footer = "-----END OPENSSH PRIVATE KEY-----"
    private static let magic = Array("openssh-key-v1\0".utf8)

    static func encode(seed: [UInt8], point: [UInt8], publicKey: SSHPublicKey) -> String {
        var secret = WireWriter()
        // The same number twice shows, after decryption, that the password was right.
        let check = randomBytes(count: 4)
        secret.raw(check)
        secret.raw(check)
        secret.raw(publicKey.blob)
        secret.string(seed + point)
        secret.string(publicKey.comment)
        // Padding to the cipher's block size; 8 without a cipher.
        let missing = (8 - secret.bytes.count % 8) % 8
        for value in 0..<missing { secret.raw([UInt8(value + 1)]) }
        var file = WireWriter()
        file.raw(magic)
        file.string("none")
        file.string("none")
        file.string("")
        file.integer(1)
        file.string(publicKey.blob)
        file.string(secret.bytes)
        var lines = [header]
        var rest = Base64.encode(file.bytes)[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(70)))
            rest = rest.dropFirst(70)
        }
        return (lines + [footer, ""]).joined(separator: "\n")
    }

    static func decode(_ text: String) throws(SSHError) -> (seed: [UInt8], comment: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let first = lines.firstIndex(where: { $0 == header }),
            let last = lines[first...].firstIndex(where: { $0 == footer }),
            let bytes = Base64.decode(lines[(first + 1)..<last].joined().utf8)
        else { throw .invalidKey("its text is damaged") }
        var file = WireReader(bytes)
        guard file.skip(magic), let cipher = file.text(), file.string() != nil, file.string() != nil else {
            throw .invalidKey("it is no OpenSSH private key")
        }
        guard cipher == "none" else { throw .invalidKey("it is protected by a password") }
        guard file.integer() == 1, file.string() != nil, let secretBytes = file.string() else {
            throw .invalidKey("it does not hold exactly one key")
        }
        var secret = WireReader(secretBytes)
        guard let check = secret.integer(), secret.integer() == check, let algorithm = secret.text() else {
            throw .invalidKey("its secret part is damaged")
        }
        guard algorithm == "ssh-ed25519" else {
            throw .invalidKey(
                "it holds a key of type '\(algorithm.prefix(64))'; in this format only ssh-ed25519 is supported "
                    + "(ssh-keygen -p -m PEM rewrites an RSA key)")
        }
        guard let point = secret.string(), let pair = secret.string(), pair.count == 64,
            point == Array(pair.suffix(32)),
            let comment = secret.text()
        else { throw .invalidKey("its secret part is damaged") }
        return (Array(pair.prefix(32)), comment)
    }
}
