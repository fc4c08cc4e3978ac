import Digest
import Reporting
import Testing

/// The expected values are those of RFC 1321 (appendix A.5) and FIPS 180-4's published examples for `abc`.
@Suite struct ChecksumTests {
    @Test(
        "gives the published checksum of 'abc', also in pieces",
        arguments: [
            (ChecksumAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72"),
            (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
            (
                .sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func published(algorithm: ChecksumAlgorithm, expected: String) {
        var whole = Checksum(algorithm)
        whole.update(Array("abc".utf8))
        #expect(hexadecimal(whole.finish()) == expected)
        var pieces = Checksum(algorithm)
        for byte in "abc".utf8 { pieces.update([byte]) }
        pieces.update([])
        #expect(hexadecimal(pieces.finish()) == expected)
    }

    @Test("reads digests in either case, with and without prefix, and nothing else")
    func digestText() {
        let digits = String(repeating: "0aB", count: 21) + "f"
        #expect(SHA256Digest(digits)?.hexadecimal == digits.lowercased())
        #expect(SHA256Digest("sha256:\(digits)") == SHA256Digest(digits))
        #expect(SHA256Digest(String(digits.dropLast())) == nil)
        #expect(SHA256Digest(digits + "0") == nil)
        #expect(SHA256Digest("g" + digits.dropFirst()) == nil)
        #expect(SHA256Digest("md5:\(digits)") == nil)
        #expect(SHA256Digest(of: []).hexadecimal.hasPrefix("e3b0c44298fc1c14"))
    }
}
