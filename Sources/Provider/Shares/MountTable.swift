/// The lines of a guest's /etc/fstab that bring its shares back when the guest itself restarts. wander knows them by
/// their tags, so everything else in the file stays as it is, however its owner moves lines.
enum MountTable {
    /// Matches a line of ours, as grep(1) and sed(1) take it.
    static let pattern = #"^wander-[0-9a-f]\{12\}[[:space:]].*[[:space:]]virtiofs[[:space:]]"#
    static let comment = "# Folders of the host, kept by wander"

    /// `nofail`: a host that does not share the folder any more lets the guest boot all the same.
    static func line(_ share: MachineShare) -> String {
        "\(share.tag) \(escaped(share.guest)) virtiofs \(share.isReadOnly ? "ro" : "rw"),nofail 0 0"
    }

    /// A path as it stands in fstab(5) and /proc/mounts.
    static func escaped(_ path: String) -> String {
        var text = ""
        for scalar in path.unicodeScalars {
            switch scalar {
            case " ": text += #"\040"#
            case "\t": text += #"\011"#
            case "\n": text += #"\012"#
            case "\\": text += #"\134"#
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
