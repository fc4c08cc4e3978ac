import Digest
import Testing

@testable import BoxFormat

/// Publishers' lists of checksums, in each of the forms that a catalogue's entry may name.
@Suite struct ChecksumListTests {
    private static let digits256 = String(repeating: "0123456789abcdef", count: 4)
    private static let digits512 = String(repeating: "fedcba9876543210", count: 8)

    /// For each form, what a publisher's file looks like that lists the image `name`, and what it says.
    static func example(of form: ChecksumForm, name: String) -> (text: String, digits: String) {
        let other = String(repeating: "9", count: 64)
        return switch form {
        case .sha256sums:
            ("\(other) *other.img\n\(digits256) *\(name)\n\(other)  \(name).manifest\n", digits256)
        case .sha512sums:
            (
                "\(String(repeating: "9", count: 128))  other.qcow2\n\(digits512)  \(name)\n\(digits256)  \(name)\n",
                digits512
            )
        case .bsd:
            ("# \(name): 609 bytes\nSHA256 (other) = \(other)\nSHA256 (\(name)) = \(digits256)\n", digits256)
        case .clearsigned:
            (
                """
                SHA256 (\(name)) = \(other)
                -----BEGIN PGP SIGNED MESSAGE-----
                Hash: SHA256

                # \(name): 583532544 bytes
                SHA256 (\(name)) = \(digits256)
                -----BEGIN PGP SIGNATURE-----

                iQIzBAEBCAAdFiEE
                SHA256 (\(name)) = \(other)
                -----END PGP SIGNATURE-----
                """, digits256
            )
        case .single: ("\(digits512)\n", digits512)
        }
    }

    @Test("each form says what the image must be, and nothing of another", arguments: ChecksumForm.allCases)
    func forms(form: ChecksumForm) throws {
        let (text, digits) = Self.example(of: form, name: "a-cloud.qcow2")
        let list = ChecksumList(parsing: text, form: form)
        #expect(list.checksum(of: "a-cloud.qcow2")?.hexadecimal == digits)
        if form != .single { #expect(list.checksum(of: "b-cloud.qcow2") == nil) }
        let windows = ChecksumList(parsing: String(text.flatMap { $0 == "\n" ? "\r\n" : String($0) }), form: form)
        #expect(windows.checksum(of: "a-cloud.qcow2")?.hexadecimal == digits)
    }

    @Test(
        "what is no list, cut short, contradictory, or of a broken algorithm says nothing",
        arguments: [
            "<html><body>Sign in to this network</body></html>", "", "\(digits256.dropLast())  a\n",
            "SHA256 (a) = \(digits256.dropLast(2))\n", "MD5 (a) = \(digits256.prefix(32))\n",
            "\(digits256.prefix(40))  a\n",
            "SHA256 (a) = \(digits256)\nSHA256 (a) = \(digits256.reversed().map(String.init).joined())\n",
            "\(digits256)  a\n\(digits256.reversed().map(String.init).joined())  a\n",
        ], ChecksumForm.allCases)
    func nothing(text: String, form: ChecksumForm) {
        #expect(ChecksumList(parsing: text, form: form).checksum(of: "a") == nil)
    }

    @Test("the strongest of several algorithms counts")
    func strongest() {
        let text = "SHA256 (a) = \(Self.digits256)\nSHA512 (a) = \(Self.digits512)\n"
        #expect(ChecksumList(parsing: text, form: .bsd).checksum(of: "a")?.algorithm == .sha512)
    }

    @Test(
        "a version is a day and a number in the name, also of another name for the same bytes",
        arguments: [
            ("AlmaLinux-9-GenericCloud-9.8-20260526.x86_64.qcow2", "20260526"),
            ("AlmaLinux-10-GenericCloud-10.2-20260526.0.x86_64.qcow2", "20260526.0"),
            ("debian-12-genericcloud-amd64-20260712-2537.qcow2", "20260712.2537"),
            ("Rocky-9.20261399.qcow2", nil), ("image-19991231.img", nil), ("image-12345678901.img", nil),
        ])
    func version(dated: String, expected: String?) throws {
        let text =
            "\(Self.digits256)  image-latest.qcow2\n\(Self.digits256)  \(dated)\n"
            + "\(String(repeating: "1", count: 64))  image-20250101.qcow2\n"
        let list = ChecksumList(parsing: text, form: .sha256sums)
        let checksum = try #require(list.checksum(of: "image-latest.qcow2"))
        #expect(list.version(of: "image-latest.qcow2", checksum)?.description == expected)
    }
}
