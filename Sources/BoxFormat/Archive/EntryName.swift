internal import Reporting

/// The path of a file inside a box, checked: relative, without `..`, printable, of bounded length.
struct EntryName: Hashable {
    /// Parts joined by single `/`; empty for the box's own folder.
    let path: String
    var parts: [Substring] { path.split(separator: "/") }

    static let lengthLimit = 512
    static let depthLimit = 16

    /// - Parameter bytes: The path as the archive has it; a leading `./` and doubled `/` do not count.
    init(_ bytes: [UInt8]) throws(BoxError) {
        let shown = bytes.prefix(Self.lengthLimit).shown
        guard bytes.count <= Self.lengthLimit else { throw .forbiddenEntry(shown, .tooLong) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .forbiddenEntry(shown, .notUTF8) }
        guard bytes.first != UInt8(ascii: "/") else { throw .forbiddenEntry(shown, .absolutePath) }
        let printable = text.unicodeScalars.allSatisfy { $0.isShown && $0 != "\\" }
        guard printable else { throw .forbiddenEntry(shown, .unprintable) }
        let parts = text.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { throw .forbiddenEntry(shown, .parentFolder) }
        guard parts.count <= Self.depthLimit, parts.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw .forbiddenEntry(shown, .tooLong)
        }
        path = parts.joined(separator: "/")
    }

    /// What two names share that a file system may take for the same: letters of either case, composed or not.
    var folded: String { path.lowercased() }
}

extension Unicode.Scalar {
    /// Whether a terminal shows it as itself: no control character of any kind, and nothing that turns a line around.
    var isShown: Bool { ![.control, .format, .unassigned].contains(properties.generalCategory) }
}
