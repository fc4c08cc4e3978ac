import Digest
import Testing

@Suite struct Base64Tests {
    @Test(
        "Base64 as RFC 4648, section 10, gives it",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test(
        "refuses what is not whole groups of its alphabet",
        arguments: ["Z", "Zg", "Zg=", "Zg=A", "Z===", "Zm9v!", "Zm-v"])
    func refused(text: String) { #expect(Base64.decode(text.utf8) == nil) }
}
