import YAML

extension UInt64 {
    /// The number of bytes that a text such as `512MiB` or `1.5GiB` means, as in a Wanderfile; nil if it means none.
    public init?(sizeText text: String) {
        guard let bytes = SizeText.parse(text) else { return nil }
        self = bytes
    }
}
