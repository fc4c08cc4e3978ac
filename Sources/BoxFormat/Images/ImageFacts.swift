/// What somebody else says about an image that says nothing about itself.
public struct ImageFacts: Hashable, Sendable {
    /// The user to log in as.
    public var user: String?
    /// Whether cloud-init in the image takes the user, the key and the rest from a seed disk.
    public var cloudInit = false
    public var firmware: BoxFirmware?
    /// In bytes.
    public var smallestMemory: UInt64?

    public init() {}

    /// Whether `text` may be the name of a guest's user.
    public static func isUser(_ text: String) -> Bool {
        let marks = Set("._-".utf8)
        guard let first = text.utf8.first, text.utf8.count <= 32 else { return false }
        return (first.isASCIILetterOrDigit || first == UInt8(ascii: "_"))
            && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || marks.contains($0) }
    }
}
