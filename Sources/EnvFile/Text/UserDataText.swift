/// What cloud-init takes as user-data. It passes over anything else with a line in its log, and the machine lacks what
/// was asked for.
public enum UserDataText {
    /// The largest that is handed over, in bytes.
    public static let limit = 1 << 20

    /// The beginnings by which cloud-init tells what it was given.
    private static let beginnings = [
        "#cloud-config", "#!", "#cloud-boothook", "#cloud-config-archive", "#cloud-config-jsonp", "#include",
        "#include-once", "#part-handler", "## template: jinja",
    ]

    public static let expected = "begin with '#cloud-config' or '#!', or be a MIME message of several parts"

    /// Whether cloud-init knows what it is: by its beginning, or as a MIME message, or packed by gzip.
    public static func isKnown(_ bytes: some Collection<UInt8>) -> Bool {
        if bytes.starts(with: [0x1f, 0x8b]) { return true }
        let start = String(decoding: bytes.prefix(4096), as: UTF8.self).lowercased()
        if start.contains("mime-version:") { return true }
        let text = start.drop { $0.isWhitespace }
        return beginnings.contains { text.hasPrefix($0) }
    }
}
