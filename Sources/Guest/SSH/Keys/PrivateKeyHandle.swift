import CLibSSH2

/// Owns one of libcrypto's private keys.
final class PrivateKeyHandle {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { EVP_PKEY_free(pointer) }

    convenience init?(ed25519Seed seed: [UInt8]) {
        guard seed.count == 32, let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            return nil
        }
        self.init(owning: key)
    }

    /// An unencrypted PEM file: `RSA PRIVATE KEY` or PKCS #8.
    convenience init?(pem: [UInt8]) {
        guard let source = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { return nil }
        defer { BIO_free(source) }
        // Without this callback libcrypto would ask the terminal for the password of an encrypted key.
        let noPassword: @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt = {
            _, _, _, _ in -1
        }
        guard let key = PEM_read_bio_PrivateKey(source, nil, noPassword, nil) else { return nil }
        self.init(owning: key)
    }

    var isRSA: Bool { EVP_PKEY_get_base_id(pointer) == EVP_PKEY_RSA }

    var ed25519PublicKey: [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1, count == 32 else { return nil }
        return bytes
    }

    /// A number of an RSA key by libcrypto's name: `n` or `e`; big-endian.
    func number(_ name: String) -> [UInt8]? {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(pointer, name, &number) == 1, let number else { return nil }
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
        guard BN_bn2bin(number, &bytes) == bytes.count else { return nil }
        return bytes
    }

    /// - Parameter digest: nil for Ed25519, which hashes by itself.
    func sign(_ data: UnsafeBufferPointer<UInt8>, digest: OpaquePointer?) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, digest, nil, pointer) == 1 else { return nil }
        var count = 0
        guard EVP_DigestSign(context, nil, &count, data.baseAddress, data.count) == 1 else { return nil }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, data.baseAddress, data.count) == 1 else { return nil }
        return Array(signature.prefix(count))
    }
}
