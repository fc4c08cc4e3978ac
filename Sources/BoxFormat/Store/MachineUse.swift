internal import JSON
public import LinuxSystem
internal import Reporting
public import SystemPackage

/// A machine that lies on a box's disk images.
public struct MachineUse: Hashable, Sendable, CustomStringConvertible {
    public var machine: String
    /// The machine's own folder, absolute.
    public var directory: FilePath
    public var box: BoxIdentity
    public var description: String { "\(machine) in \(directory)" }
}

// Two halves that must agree: an entry in the store that says where the machine is, and a file in the machine's folder
// with the entry's identifier. A folder that was deleted or moved no longer agrees, so it cannot block its box for ever;
// a moved machine is recorded again by its next start.
extension BoxStore {
    private static let markerName = "box-use"

    /// Records that a machine lies on `box`. Cheap when that is recorded already: call it at every start.
    /// - Parameter directory: The machine's own folder, which exists.
    /// - Throws: ``BoxError/notFound(_:installed:)`` if the box has been removed meanwhile.
    public func recordUse(
        of box: BoxIdentity, machine: String, directory: FilePath, cancellation: Cancellation? = nil
    ) throws {
        let place = try FileSystem.resolve(directory)
        let marker = place.appending(Self.markerName)
        let known = Self.identifier(in: marker)
        if let known, let use = use(known), use.directory == place, use.box == box, FileSystem.exists(folder(of: box)) {
            return
        }
        try prepare()
        let held = try lockNames(cancellation: cancellation)
        defer { withExtendedLifetime(held) {} }
        guard FileSystem.exists(folder(of: box)) else { throw BoxError.notFound("\(box)", installed: []) }
        let identifier = randomIdentifier()
        let entry: JSONValue = [
            "schema": 1, "machine": .string(machine), "directory": .string(place.string),
            "box": [
                "name": .string(box.name.description), "version": .string(box.version.description),
                "architecture": .string(box.architecture.description),
            ],
        ]
        try AtomicFile.write(entry.pretty, to: usesFolder.appending("\(identifier).json"), permissions: 0o600)
        try AtomicFile.write(identifier + "\n", to: marker, permissions: 0o600)
        // The machine's previous box is free, unless the entry is another folder's, which this one is a copy of.
        if let known, let old = use(known), old.directory == place {
            try FileSystem.remove(usesFolder.appending("\(known).json"))
        }
    }

    /// Records that the machine in `directory` is gone. Nothing recorded is no error.
    public func releaseUse(directory: FilePath) throws(SystemError) {
        let marker = directory.appending(Self.markerName)
        guard let identifier = Self.identifier(in: marker) else { return }
        let place = try FileSystem.resolve(directory)
        if let use = use(identifier), use.directory == place {
            try FileSystem.remove(usesFolder.appending("\(identifier).json"))
        }
        try FileSystem.remove(marker)
    }

    /// The machines that lie on `box`; without it, on any.
    public func uses(of box: BoxIdentity? = nil) throws(SystemError) -> [MachineUse] {
        guard FileSystem.exists(usesFolder) else { return [] }
        return try FileSystem.list(usesFolder).compactMap { name -> MachineUse? in
            guard name.hasSuffix(".json"), let use = use(String(name.dropLast(5))) else { return nil }
            guard box == nil || use.box == box else { return nil }
            guard Self.identifier(in: use.directory.appending(Self.markerName)) == String(name.dropLast(5)) else {
                return nil
            }
            return use
        }.sorted { ($0.directory.string, $0.machine) < ($1.directory.string, $1.machine) }
    }

    /// Removes entries of machines that are gone.
    func sweepUses() throws(SystemError) {
        let alive = Set(try uses().compactMap { Self.identifier(in: $0.directory.appending(Self.markerName)) })
        for name in try FileSystem.list(usesFolder)
        where name.hasSuffix(".json") && !alive.contains(String(name.dropLast(5))) {
            try FileSystem.remove(usesFolder.appending(name))
        }
    }

    private static func identifier(in marker: FilePath) -> String? {
        guard let bytes = try? FileSystem.read(marker, limit: 64) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).trimmed
        return !text.isEmpty && text.utf8.allSatisfy(\.isASCIILetterOrDigit) ? text : nil
    }

    private func use(_ identifier: String) -> MachineUse? {
        guard let bytes = try? FileSystem.read(usesFolder.appending("\(identifier).json"), limit: 1 << 16),
            let entry = try? JSONObjectReader(JSONParser.parse(bytes), path: "use"), let box = try? entry.object("box"),
            let machine = try? entry.string("machine"), let directory = try? entry.string("directory"),
            let name = try? BoxName(box.string("name")), let version = BoxVersion((try? box.string("version")) ?? ""),
            let architecture = try? Architecture(box.string("architecture"))
        else { return nil }
        let identity = BoxIdentity(name: name, version: version, architecture: architecture)
        return MachineUse(machine: machine, directory: FilePath(directory), box: identity)
    }
}
