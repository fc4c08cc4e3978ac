internal import Reporting
public import SystemPackage
internal import YAML

/// A file that names images: wander's own, or one of a team or a user.
public struct ImageCatalogue: Sendable {
    public enum Origin: Hashable, Sendable {
        case builtIn
        case user(FilePath)
        case project(FilePath)

        /// As people read it.
        public var shown: String {
            switch self {
            case .builtIn: "built in"
            case .user(let file), .project(let file): file.string
            }
        }

        /// Whether what was ``shown`` is some project's catalogue.
        static func isProjects(_ shown: String) -> Bool {
            shown.hasSuffix("/\(ImageCatalogues.projectFileName)")
        }

        /// What its relative paths start at.
        var folder: FilePath? {
            switch self {
            case .builtIn: nil
            case .user(let file), .project(let file): file.removingLastComponent()
            }
        }
    }

    public var origin: Origin
    /// Where publishers' files are, by the words that entries use.
    public var mirrors: [String: String] = [:]
    /// In the order of the file.
    public var images: [CatalogueImage] = []

    /// - Throws: ``BoxSourceError/invalidImages(_:)`` with everything that is wrong.
    public init(parsing bytes: [UInt8], origin: Origin) throws(BoxSourceError) {
        self.origin = origin
        let problems = Problems()
        let source = problems.add(SourceText(label: origin.shown, bytes: bytes))
        if let root = YAMLReader.read(source, problems: problems) {
            let reader = ImageCatalogueReader(problems: problems)
            (mirrors, images) = reader.read(root)
        }
        guard !problems.hasErrors else { throw .invalidImages(problems.sorted) }
    }

    /// The catalogue that comes with wander, as it is written.
    public static var builtInText: String { String(decoding: PackageResources.catalogue_yaml, as: UTF8.self) }

    /// What comes with wander.
    static func builtIn() throws(BoxSourceError) -> ImageCatalogue {
        try ImageCatalogue(parsing: PackageResources.catalogue_yaml, origin: .builtIn)
    }
}
