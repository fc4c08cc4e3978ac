/// A box as a Wanderfile or a command asks for it.
public struct BoxRequest: Hashable, Sendable {
    /// What the box is called in the store and in catalogues.
    public var name: BoxName
    public var requirement: VersionRequirement
    /// Exactly this one. nil takes the host's, or a box that does not say its own.
    public var architecture: Architecture?
    /// A file or URL of the box itself or of its catalogue. nil asks the configured catalogues.
    public var location: BoxLocation?
    /// Of the archive.
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

    var storeArchitecture: Architecture { architecture ?? .host }
}
