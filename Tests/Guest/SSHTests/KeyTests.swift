import LinuxSystem
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import SSH

@Suite struct KeyTests {
    @Test("ssh-keygen reads a generated key and finds the same public half and fingerprint")
    func generated() throws {
        let directory = try TemporaryFolder()
        let pair = try SSHKeyPair.generate(comment: "wander web")
        let file = directory.path.appending("id_ed25519")
        try AtomicFile.write(pair.privateKeyText, to: file, permissions: 0o600)
        let line = try run(["ssh-keygen", "-y", "-f", file.string])
        #expect(line == pair.publicKey.line + "\n")
        let fingerprint = try run(["ssh-keygen", "-l", "-f", file.string])
        #expect(fingerprint == "256 \(pair.publicKey.fingerprint) wander web (ED25519)\n")
    }

    @Test("reads what it wrote", arguments: 0..<20)
    func roundTrip(length: Int) throws {
        // Each length of the comment gives another padding.
        let pair = try SSHKeyPair.generate(comment: String(repeating: "c", count: length))
        let read = try SSHKeyPair(parsing: pair.privateKeyText)
        #expect(read.publicKey.line == pair.publicKey.line)
        #expect(read.secret == pair.secret)
    }

    @Test(
        "reads keys that ssh-keygen wrote", arguments: [["-t", "ed25519"], ["-t", "rsa", "-b", "2048", "-m", "PEM"]])
    func foreign(type: [String]) throws {
        let directory = try TemporaryFolder()
        let file = directory.path.appending("id")
        _ = try run(["ssh-keygen", "-q", "-N", "", "-C", "foreign", "-f", file.string] + type)
        let pair = try SSHKeyPair(parsing: String(decoding: FileSystem.read(file), as: UTF8.self))
        let line = try String(decoding: FileSystem.read(directory.path.appending("id.pub")), as: UTF8.self)
        #expect(pair.publicKey == (try SSHPublicKey(parsing: line)))
    }

    @Test("says what is wrong with a key it cannot use")
    func unusable() throws {
        let directory = try TemporaryFolder()
        let file = directory.path.appending("id")
        _ = try run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", file.string])
        let encrypted = try String(decoding: FileSystem.read(file), as: UTF8.self)
        #expect(throws: SSHError.invalidKey("it is protected by a password")) { try SSHKeyPair(parsing: encrypted) }
        #expect(throws: SSHError.invalidKey("it is no private key in a known format")) {
            try SSHKeyPair(parsing: "hello")
        }
    }

    @Test("no cut or flipped byte of a key file traps")
    func damaged() throws {
        let text = Array(try SSHKeyPair.generate(comment: "x").privateKeyText.utf8)
        for index in text.indices {
            _ = try? SSHKeyPair(parsing: String(decoding: text[..<index], as: UTF8.self))
            var flipped = text
            flipped[index] ^= 0x11
            _ = try? SSHKeyPair(parsing: String(decoding: flipped, as: UTF8.self))
        }
    }

    @Test(
        "refuses public lines that are none",
        arguments: ["", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA"])
    func publicLines(line: String) {
        #expect(throws: SSHError.self) { try SSHPublicKey(parsing: line) }
    }

    @Test("the well-known keys are the ones that boxes hold")
    func wellKnown() {
        // Fingerprints by `ssh-keygen -l` of the public lines in Vagrant's boxes.
        #expect(WellKnownKeys.all.map(\.publicKey.fingerprint) == Self.knownFingerprints)
    }
    static let knownFingerprints = [
        "SHA256:WkvqjnyPAeC0cbPErYiGP9vqHdgL1MqqvPdIe3lvHgI", "SHA256:1M4RzhMyWuFS/86uPY/ce2prh/dVTHW7iD2RhpquOZA",
    ]

    private func run(_ arguments: [String]) throws -> String {
        let result = try ChildProcess.run(arguments)
        try #require(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        return String(decoding: result.output, as: UTF8.self)
    }
}
