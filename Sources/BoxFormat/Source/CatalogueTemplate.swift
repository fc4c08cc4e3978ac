public import LinuxSystem
internal import SystemPackage

/// The pattern of the URLs of a server's catalogues: `{user}` and `{name}` are the two halves of `user/name`, and
/// `{box}` is the whole.
public struct CatalogueTemplate: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ text: String) { description = text }

    /// Vagrant's public registry.
    public static let standard = CatalogueTemplate("https://vagrantcloud.com/api/v2/vagrant/{user}/{name}")

    /// The user's catalogues, in the order in which they are asked: `WANDER_CATALOGUES` (separated by spaces), else the
    /// lines of `catalogues` in `XDG_CONFIG_HOME/wander`, else Vagrant's registry.
    public static func configured() throws(SystemError) -> [CatalogueTemplate] {
        if let list = environmentVariable("WANDER_CATALOGUES") { return read(list) }
        guard let file = UserFolders.configuration?.pushing("wander/catalogues") else { return [.standard] }
        do throws(SystemError) {
            guard let bytes = try FileSystem.readIfThere(file, limit: 1 << 16) else { return [.standard] }
            return read(String(decoding: bytes, as: UTF8.self))
        } catch {
            // A folder of another user is nobody's configuration: `sudo -u` keeps HOME.
            guard error.errno == .permissionDenied else { throw error }
            return [.standard]
        }
    }

    /// Templates separated by spaces or line breaks; lines that start with `#` do not count.
    static func read(_ text: String) -> [CatalogueTemplate] {
        text.split(whereSeparator: \.isNewline).filter { !String($0).trimmed.hasPrefix("#") }
            .flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }) }.map { CatalogueTemplate(String($0)) }
    }

    /// The location of the catalogue of `box`; nil if the template needs a user and the box has none.
    func location(of box: BoxName) throws(BoxSourceError) -> BoxLocation? {
        let parts = box.description.split(separator: "/")
        let needsUser = description.firstRange(of: "{user}") != nil
        guard !needsUser || parts.count == 2 else { return nil }
        var text = description
        for (mark, value) in [
            ("{user}", String(parts[0])), ("{name}", String(parts[parts.count - 1])), ("{box}", box.description),
        ] {
            // Names of boxes need no percent-encoding but for "+", which stands for itself in paths.
            while let range = text.firstRange(of: mark) { text.replaceSubrange(range, with: value) }
        }
        return try BoxLocation(text)
    }
}
