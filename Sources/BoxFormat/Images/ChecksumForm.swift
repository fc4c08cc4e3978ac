/// How a publisher writes down what its images must be.
public enum ChecksumForm: String, Sendable, CaseIterable {
    /// Lines of digits and a name, as sha256sum(1) writes them.
    case sha256sums = "SHA256SUMS"
    /// The same by sha512sum(1).
    case sha512sums = "SHA512SUMS"
    /// Lines `SHA256 (NAME) = DIGITS`, as the BSDs write them.
    case bsd
    /// Lines of the BSDs' form between the marks of a PGP signature, as Fedora has them.
    case clearsigned
    /// The digits of one image, with or without its name.
    case single
}
