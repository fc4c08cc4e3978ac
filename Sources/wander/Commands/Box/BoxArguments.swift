// Conformances of public types to a public protocol are public, and so are these imports.
public import ArgumentParser
public import BoxFormat

extension BoxName: ExpressibleByArgument {
    public init?(argument: String) {
        guard let name = try? BoxName(argument) else { return nil }
        self = name
    }
}

extension BoxVersion: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension VersionRequirement: ExpressibleByArgument {
    public init?(argument: String) {
        guard let requirement = try? VersionRequirement(argument) else { return nil }
        self = requirement
    }
}

extension Architecture: ExpressibleByArgument {
    public init?(argument: String) {
        guard let architecture = try? Architecture(argument) else { return nil }
        self = architecture
    }
}

extension BoxCompression: ExpressibleByArgument {}
