/// One release that a distribution publishes as a disk image.
public struct CatalogueImage: Hashable, Sendable {
    public var name: BoxName
    /// What it is, in one line.
    public var title: String
    /// The word of the mirror that the two paths below start at; nil if they are whole.
    public var mirror: String?
    public var image: String
    public var checksums: String
    public var form: ChecksumForm
    /// nil: the day that the publisher states.
    public var version: BoxVersion?
    public var architecture = Architecture.amd64
    public var facts = ImageFacts()
    public var isExperimental = false
    /// What one must know before choosing it.
    public var note: String?

    /// The name of the image's file, by which the list of checksums knows it.
    public var fileName: String {
        let path = image.prefix { $0 != "?" && $0 != "#" }
        let last = path.split(separator: "/").last.map(String.init) ?? image
        return Self.decoded(last) ?? last
    }

    /// Text with `%20` as what it means; nil if it is not text then.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(String(digits) ?? "", radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
