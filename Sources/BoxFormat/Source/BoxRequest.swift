public import DiskImage

/// A box as a Wanderfile or a command asks for it.
public struct BoxRequest: Hashable, Sendable {
    /// The box's name in the store and in catalogues. nil: the name that the box at ``location`` gives itself.
    public var name: BoxName?
    /// The name of the box at ``location`` if it does not name itself.
    public var fallbackName: BoxName?
    /// The location as the Wanderfile writes it, such as `./base.box`. The lock file knows boxes without a name by it,
    /// so that the entry means the same wherever the project is.
    public var reference: String?
    public var requirement: VersionRequirement
    /// Exactly this one. nil takes the host's, or a box that does not say its own.
    public var architecture: Architecture?
    /// A file or URL of the box itself or of its catalogue. nil asks the configured catalogues.
    public var location: BoxLocation?
    /// The version to store for a box that has none; not for boxes of catalogues.
    public var assignedVersion: BoxVersion?
    /// The format of a plain disk image that has no magic number.
    public var diskFormat: DiskFormat?
    /// What is known of a plain disk image; nil asks the catalogue of images for the name.
    public var facts: ImageFacts?
    /// Whether a Wanderfile asks for it by its place: then what it calls itself is no name for other projects.
    public var isOfProject = false
    /// The archive's checksum.
    public var checksum: ExpectedChecksum?

    public init(
        _ name: BoxName, _ requirement: VersionRequirement = .any, architecture: Architecture? = nil,
        location: BoxLocation? = nil, checksum: ExpectedChecksum? = nil
    ) {
        self.name = name
        self.requirement = requirement
        self.architecture = architecture
        self.location = location
        self.checksum = checksum
    }

    /// A box at `location` that names itself.
    public init(
        at location: BoxLocation, reference: String? = nil, fallbackName: BoxName? = nil,
        architecture: Architecture? = nil, checksum: ExpectedChecksum? = nil
    ) {
        name = nil
        self.fallbackName = fallbackName
        requirement = .any
        self.architecture = architecture
        self.location = location
        self.reference = reference
        self.checksum = checksum
    }

    /// What messages call the box.
    var label: String { name?.description ?? location?.shown ?? "box" }

    /// What the lock file records as the source of a box that came from `source`.
    func lockedSource(_ source: String) -> String {
        guard let reference, case .file = location else { return source }
        return reference
    }

    var storeArchitecture: Architecture { architecture ?? .host }
}
