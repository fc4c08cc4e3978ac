import CLibSSH2
import Glibc
import Reporting

extension SSHSession {
    public var isAuthenticated: Bool { libssh2_userauth_authenticated(handle) != 0 }

    /// Logs in with the first of `keys` that the server accepts.
    /// - Returns: That key.
    /// - Throws: ``SSHError/authenticationRefused(user:tried:offered:)`` if it accepts none.
    @discardableResult
    public func authenticate(user: String, keys: [SSHKeyPair]) throws(SSHError) -> SSHKeyPair {
        var tried: [String] = []
        for key in keys {
            for algorithm in key.signatureAlgorithms {
                tried.append("\(algorithm) \(key.publicKey.fingerprint)")
                if try attempt(user: user, key, algorithm) {
                    self.user = user
                    return key
                }
            }
        }
        // Asked only now, since it takes the guest a turn.
        let offered = try offeredMethods(user: user)
        // "none" may be enough for a server; then no key was needed and the first one stands for the login.
        if isAuthenticated, let first = keys.first {
            self.user = user
            return first
        }
        throw .authenticationRefused(user: user, tried: tried, offered: offered)
    }

    /// Logs in with a password, for boxes that bring no key.
    public func authenticate(user: String, password: String) throws(SSHError) {
        let status = try authenticationStatus {
            libssh2_userauth_password_ex(
                handle, user, UInt32(clamping: user.utf8.count), password, UInt32(clamping: password.utf8.count), nil)
        }
        guard status == 0 else {
            throw .authenticationRefused(user: user, tried: ["password"], offered: try offeredMethods(user: user))
        }
        self.user = user
    }

    /// What the server would accept, such as `publickey`; asks by trying to log in with nothing.
    func offeredMethods(user: String) throws(SSHError) -> [String] {
        var list: String?
        try performStep(.authentication) {
            if let text = libssh2_userauth_list(handle, user, UInt32(clamping: user.utf8.count)) {
                list = GuestText.line(String(cString: text).utf8)
                return 0
            }
            return isAuthenticated ? 0 : libssh2_session_last_errno(handle)
        }
        return list?.split(separator: ",").prefix(16).map { String($0.prefix(64)) } ?? []
    }

    private func authenticationStatus(_ call: () -> CInt) throws(SSHError) -> CInt {
        do {
            return try performStep(.authentication) {
                let status = call()
                switch status {
                case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED: return 1
                default: return status
                }
            }
        }
    }

    /// What the signing callback needs; lives for one attempt.
    private final class Signer {
        let key: SSHKeyPair
        let algorithm: String
        init(_ key: SSHKeyPair, _ algorithm: String) {
            self.key = key
            self.algorithm = algorithm
        }
    }

    /// - Returns: Whether the server accepted the key.
    private func attempt(user: String, _ key: SSHKeyPair, _ algorithm: String) throws(SSHError) -> Bool {
        // libssh2 1.10 has one name for the key and for the signature algorithm, and takes it from the key. With the
        // name replaced in the key, an RSA key signs with SHA-2; OpenSSH reads such a key as the RSA key that it is.
        var renamed = WireWriter()
        renamed.string(algorithm)
        renamed.raw(key.publicKey.blob.dropFirst(4 + key.publicKey.algorithm.utf8.count))
        let blob = renamed.bytes
        let signer = Signer(key, algorithm)
        var abstract: UnsafeMutableRawPointer? = Unmanaged.passUnretained(signer).toOpaque()
        let status = try withExtendedLifetime(signer) { () throws(SSHError) -> CInt in
            try authenticationStatus {
                libssh2_userauth_publickey(handle, user, blob, blob.count, Self.sign, &abstract)
            }
        }
        return status == 0
    }

    private static let sign:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, UnsafeMutablePointer<Int>?,
            UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> CInt = { _, signature, signatureCount, data, count, abstract in
            guard let object = abstract?.pointee, let signature, let signatureCount else { return -1 }
            let signer = Unmanaged<Signer>.fromOpaque(object).takeUnretainedValue()
            let bytes = signer.key.sign(UnsafeBufferPointer(start: data, count: count), algorithm: signer.algorithm)
            // libssh2 frees it, with free(3).
            guard let bytes, let copy = malloc(bytes.count) else { return -1 }
            memcpy(copy, bytes, bytes.count)
            signature.pointee = copy.assumingMemoryBound(to: UInt8.self)
            signatureCount.pointee = bytes.count
            return 0
        }
}
