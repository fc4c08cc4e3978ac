internal import LinuxSystem
public import SystemPackage

/// The files that name images, in the order in which a name is looked up: the project's, the user's, wander's own.
///
/// They are read when a name is looked up: a box of the store needs none of them.
public struct ImageCatalogues: Sendable {
    /// Beside a Wanderfile, as ``LockFile/fileName`` is.
    public static let projectFileName = "Wanderfile.catalogue"
    private static let sizeLimit = 1 << 20

    private let origins: [ImageCatalogue.Origin]
    /// What the environment says.
    private let variable: @Sendable (String) -> String?

    /// Knows no image.
    public static let none = ImageCatalogues([])

    init(
        _ origins: [ImageCatalogue.Origin],
        variable: @escaping @Sendable (String) -> String? = { environmentVariable($0) }
    ) {
        self.origins = origins
        self.variable = variable
    }

    /// - Parameter project: The folder of the Wanderfile, if there is one.
    public static func configured(project: FilePath?) -> ImageCatalogues {
        let ofProject = project.map { ImageCatalogue.Origin.project($0.appending(projectFileName)) }
        let ofUser = UserFolders.configuration.map { ImageCatalogue.Origin.user($0.pushing("wander/catalogue.yaml")) }
        return ImageCatalogues([ofProject, ofUser, .builtIn].compactMap(\.self))
    }

    /// The catalogues that there are.
    /// - Throws: ``BoxSourceError/invalidImages(_:)``
    public func all() throws -> [ImageCatalogue] { try origins.compactMap(read) }

    private func read(_ origin: ImageCatalogue.Origin) throws -> ImageCatalogue? {
        switch origin {
        case .builtIn: return try .builtIn()
        case .user(let file), .project(let file):
            guard let bytes = try bytes(of: file, origin) else { return nil }
            return try ImageCatalogue(parsing: bytes, origin: origin)
        }
    }

    private func bytes(of file: FilePath, _ origin: ImageCatalogue.Origin) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return FileSystem.isAbsent(file) ? nil : try GuardedPath(file).read(limit: Self.sizeLimit)
        } catch {
            // A folder of another user is nobody's configuration: `sudo -u` keeps HOME.
            guard case .user = origin, error.errno == .permissionDenied else { throw error }
            return nil
        }
    }

    /// An image, and where it is.
    public struct Found: Hashable, Sendable {
        public var image: CatalogueImage
        public var origin: ImageCatalogue.Origin
        public var location: BoxLocation
        public var checksums: BoxLocation
    }

    /// Every image that has a name, each once, in the order of the catalogues.
    public func images() throws -> [Found] {
        let all = try all()
        var names: Set<BoxName> = []
        return try all.flatMap { catalogue in
            try catalogue.images.filter { names.insert($0.name).inserted }.map { try found($0, in: catalogue, all) }
        }
    }

    /// What is wrong with another entry is no matter of this one.
    public func find(_ name: BoxName) throws -> Found? {
        let all = try all()
        for catalogue in all {
            if let image = catalogue.images.first(where: { $0.name == name }) {
                return try found(image, in: catalogue, all)
            }
        }
        return nil
    }

    private func found(
        _ image: CatalogueImage, in catalogue: ImageCatalogue, _ all: [ImageCatalogue]
    ) throws -> Found {
        Found(
            image: image, origin: catalogue.origin, location: try location(image.image, of: image, in: catalogue, all),
            checksums: try location(image.checksums, of: image, in: catalogue, all))
    }

    /// Where `path` of an entry is, mirrors considered.
    private func location(
        _ path: String, of image: CatalogueImage, in catalogue: ImageCatalogue, _ all: [ImageCatalogue]
    ) throws -> BoxLocation {
        guard let word = image.mirror else { return try BoxLocation(path, relativeTo: catalogue.origin.folder) }
        if let mirror = variable(Self.variableName(of: word)), !mirror.isEmpty {
            let place = try? BoxLocation(Self.join(mirror, path), relativeTo: FileSystem.currentDirectory)
            guard let place else { throw BoxSourceError.invalidMirror(variable: Self.variableName(of: word), mirror) }
            return place
        }
        guard let owner = all.first(where: { $0.mirrors[word] != nil }), let mirror = owner.mirrors[word] else {
            throw BoxSourceError.unknownMirror(word, image: image.name.description)
        }
        return try BoxLocation(Self.join(mirror, path), relativeTo: owner.origin.folder)
    }

    private static func join(_ base: String, _ path: String) -> String {
        base + (base.hasSuffix("/") ? "" : "/") + path.drop { $0 == "/" }
    }

    /// `WANDER_MIRROR_DEBIAN` for `debian`.
    static func variableName(of mirror: String) -> String {
        "WANDER_MIRROR_" + mirror.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}
