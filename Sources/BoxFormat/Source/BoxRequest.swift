public import DiskImage

/// A box as a Wanderfile or a command asks for it.
public struct BoxRequest: Hashable, Sendable {
    /// What the box is called in the store and in catalogues. nil: as the box at ``location`` calls itself.
    public var name: BoxName?
    /// What the box at ``location`` is called if it does not call itself anything.
    public var fallbackName: BoxName?
    /// How the Wanderfile writes the location, such as `./base.box`; the lock file knows boxes without a name by it, so
    /// that it means the same wherever the project lies.
    public var reference: String?
    public var requirement: VersionRequirement
    /// Exactly this one. nil takes the host's, or a box that does not say its own.
    public var architecture: Architecture?
    /// A file or URL of the box itself or of its catalogue. nil asks the configured catalogues.
    public var location: BoxLocation?
    /// What a box without a version of its own is stored as; not for boxes of catalogues.
    public var assignedVersion: BoxVersion?
    /// The format of a plain disk image that has no magic number.
    public var diskFormat: DiskFormat?
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

    /// A box at `location` that says itself what it is called.
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
