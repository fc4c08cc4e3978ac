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
}
