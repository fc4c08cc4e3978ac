/// How to get a box that is not in the store: lines to type.
public enum BoxAdvice {
    /// - Parameter box: A box's name, and after it the version if there is one: `debian/12 12.5`.
    public static func lines(for box: String) -> [String] {
        let words = box.split(separator: " ").map(String.init)
        let name = words.first ?? box
        // wander's own boxes are not published: their recipes come with it.
        switch name {
        case "wander/tiny", "tiny": return ["wander box build tiny"]
        default:
            let version = words.count > 1 ? " --box-version \(words[1])" : ""
            return ["wander box add --name \(name)\(version) FILE_OR_URL"]
        }
    }

    /// Whether it is one of wander's own boxes, which no catalogue has.
    public static func isOwn(_ box: String) -> Bool { ["wander/tiny", "tiny"].contains(box.prefix { $0 != " " }) }

    /// The same as a remedy.
    public static func text(for box: String) -> String {
        let lines = lines(for: box)
        return !isOwn(box)
            ? "Add it, from its file or URL: \(lines[0])"
            : "Build it, from Debian's packages: \(lines.joined(separator: " && "))"
    }
}
