public import Digest
internal import JSON
public import LinuxSystem
internal import Reporting
public import SystemPackage

/// A machine that uses a box's disk images.
public struct MachineUse: Hashable, Sendable, CustomStringConvertible {
    /// What is in the folder where the machine was last started.
    public enum Place: Hashable, Sendable {
        case found
        /// Nothing, or another machine. It may have been moved or removed, or lie on a drive that is not mounted or on
        /// another host. Until somebody says that it is gone, its disk is of use with the box alone.
        case notFound
        /// It cannot be looked at.
        case unreadable(reason: String)
    }

    public var machine: String
    /// The machine's own folder, absolute.
    public var directory: FilePath
    public var box: BoxIdentity
    /// The digest of the image that the machine's disk is based on; nil if only an older version recorded the use.
    public var disk: SHA256Digest?
    public var place: Place

    public var description: String {
        switch place {
        case .found: "\(machine) in \(directory)"
        case .notFound: "\(machine) (not found: \(directory))"
        case .unreadable(let reason): "\(machine) in \(directory) (\(reason))"
        }
    }
}

// Two halves: an entry in the store that says where the machine is, and a file in the machine's folder with the entry's
// identifier. The entry is written first. It also knows the folder by its inode: an entry whose very folder names
// another one is superseded, or was never completed; every other one stands for a machine that may still be somewhere.
extension BoxStore {
    private static let markerName = "box-use"

    /// What an entry says.
    private struct Entry {
        var machine: String
        var directory: FilePath
        /// nil in an entry of an older version.
        var inode: UInt64?
        var box: BoxIdentity
        var disk: SHA256Digest?

        func use(_ place: MachineUse.Place) -> MachineUse {
            MachineUse(machine: machine, directory: directory, box: box, disk: disk, place: place)
        }
    }

    /// Records that a machine uses `box`. This is cheap when it is recorded already: call it at every start.
    /// - Parameter directory: The machine's own folder, which exists.
    /// - Throws: ``BoxError/notFound(_:installed:)`` if the box has been removed meanwhile.
    public func recordUse(
        of box: Box, machine: String, directory: FilePath, cancellation: Cancellation? = nil
    ) throws {
        let target = folder(of: box.identity)
        let place = try FileSystem.resolve(directory)
        let inode = try FileSystem.status(place)?.inode
        let marker = place.appending(Self.markerName)
        let known = try Self.identifier(in: marker)
        let old = try known.flatMap { try entry($0) }
        if let old, old.directory == place, old.inode == inode, old.box == box.identity, old.disk == box.diskDigest,
            try FileSystem.exists(target)
        {
            return
        }
        try prepare()
        let held = try lockNames(cancellation: cancellation)
        defer { withExtendedLifetime(held) {} }
        guard try FileSystem.exists(target) else { throw BoxError.notFound("\(box.identity)", installed: []) }
        try AtomicFile.removeLeftovers(in: usesFolder)
        let identifier = randomIdentifier()
        let document: JSONValue = [
            "schema": 1, "machine": .string(machine), "directory": .string(place.string),
            "inode": inode.map { .integer(Int64(bitPattern: $0)) } ?? .null,
            "box": [
                "name": .string(box.name.description), "version": .string(box.version.description),
                "architecture": .string(box.architecture.description),
            ],
            "disk": .optional(box.diskDigest?.description),
        ]
        try AtomicFile.write(document.pretty, to: usesFolder.appending("\(identifier).json"), permissions: 0o600)
        try AtomicFile.write(identifier + "\n", to: marker, permissions: 0o600)
        // The folder's previous entry, also from where it was before it was moved.
        if let known, let old, isOf(old, known, place, inode) {
            try FileSystem.remove(usesFolder.appending("\(known).json"))
        }
    }

    /// Records that the machine in `directory` is gone. It is not an error if nothing is recorded.
    public func releaseUse(directory: FilePath) throws {
        let marker = directory.appending(Self.markerName)
        let place = try FileSystem.resolve(directory)
        // What killed commands left here would stand for a machine that is not found once the folder is gone.
        try sweepUses(in: place)
        guard let identifier = try Self.identifier(in: marker) else { return }
        if let old = try entry(identifier), isOf(old, identifier, place, try FileSystem.status(place)?.inode) {
            try FileSystem.remove(usesFolder.appending("\(identifier).json"))
        }
        try FileSystem.remove(marker)
    }

    /// Whether an entry is of the machine in `place`, and not of one that this is a copy of. The inode alone does not
    /// tell: a file system that is copied as a whole keeps them.
    private func isOf(_ entry: Entry, _ identifier: String, _ place: FilePath, _ inode: UInt64?) -> Bool {
        guard entry.directory != place else { return entry.inode == nil || entry.inode == inode }
        return entry.inode == inode && self.place(of: entry, identifier) == .notFound
    }

    /// The machines that use `box`; without it, any box. Machines whose folder is not found are among them.
    public func uses(of box: BoxIdentity? = nil) throws -> [MachineUse] {
        try entries().compactMap { identifier, entry in
            guard box == nil || entry.box == box, let place = place(of: entry, identifier) else { return nil }
            return entry.use(place)
        }.sorted { ($0.directory.string, $0.machine) < ($1.directory.string, $1.machine) }
    }

    /// Forgets those of `uses` that are still not found where they were last started. Only for a person who has seen
    /// the list, since they may come back.
    /// - Returns: The forgotten ones.
    public func forgetMissing(_ uses: [MachineUse], cancellation: Cancellation? = nil) throws -> [MachineUse] {
        try prepare()
        let held = try lockNames(cancellation: cancellation)
        defer { withExtendedLifetime(held) {} }
        var forgotten: [MachineUse] = []
        for (identifier, entry) in try entries() {
            let use = entry.use(.notFound)
            guard uses.contains(use), place(of: entry, identifier) == .notFound else { continue }
            try FileSystem.remove(usesFolder.appending("\(identifier).json"))
            forgotten.append(use)
        }
        return forgotten
    }

    /// Removes superseded entries and those that were never completed.
    func sweepUses() throws {
        for (identifier, entry) in try entries() where place(of: entry, identifier) == nil {
            try FileSystem.remove(usesFolder.appending("\(identifier).json"))
        }
    }

    /// The same for one folder. Other machines' entries need not be readable for that.
    private func sweepUses(in directory: FilePath) throws {
        guard try FileSystem.exists(usesFolder) else { return }
        for name in try FileSystem.list(usesFolder) where name.hasSuffix(".json") {
            let identifier = String(name.dropLast(5))
            guard let entry = (try? entry(identifier)) ?? nil, entry.directory == directory,
                place(of: entry, identifier) == nil
            else { continue }
            try FileSystem.remove(usesFolder.appending(name))
        }
    }

    /// nil if the entry stands for no machine.
    private func place(of entry: Entry, _ identifier: String) -> MachineUse.Place? {
        do {
            let marker = try Self.identifier(in: entry.directory.appending(Self.markerName))
            if marker == identifier { return .found }
            guard let inode = entry.inode, let status = try FileSystem.status(entry.directory) else { return .notFound }
            return status.inode == inode ? nil : .notFound
        } catch { return .unreadable(reason: "\(error.errno)") }
    }

    private func entries() throws -> [(identifier: String, entry: Entry)] {
        guard try FileSystem.exists(usesFolder) else { return [] }
        return try FileSystem.list(usesFolder).compactMap { name in
            guard name.hasSuffix(".json") else { return nil }
            let identifier = String(name.dropLast(5))
            return try entry(identifier).map { (identifier, $0) }
        }
    }

    /// nil if there is no marker, or if it is none.
    private static func identifier(in marker: FilePath) throws(SystemError) -> String? {
        guard let bytes = try FileSystem.readIfThere(marker, limit: 4096) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).trimmed
        return !text.isEmpty && text.utf8.allSatisfy(\.isASCIILetterOrDigit) ? text : nil
    }

    /// nil if there is none.
    /// - Throws: ``BoxError/damagedUse(_:)``: which box is used is not known then, so none may go.
    private func entry(_ identifier: String) throws -> Entry? {
        let path = usesFolder.appending("\(identifier).json")
        guard let bytes = try FileSystem.readIfThere(path, limit: 1 << 16) else { return nil }
        guard let entry = try? JSONObjectReader(JSONParser.parse(bytes), path: "use"),
            let box = try? entry.object("box"),
            let machine = try? entry.string("machine"), let directory = try? entry.string("directory"),
            let name = try? BoxName(box.string("name")), let version = BoxVersion((try? box.string("version")) ?? ""),
            let architecture = try? Architecture(box.string("architecture"))
        else { throw BoxError.damagedUse(path) }
        let identity = BoxIdentity(name: name, version: version, architecture: architecture)
        return Entry(
            machine: machine, directory: FilePath(directory),
            inode: ((try? entry.optionalInteger("inode")) ?? nil).map { UInt64(bitPattern: $0) }, box: identity,
            disk: ((try? entry.optionalString("disk")) ?? nil).flatMap { SHA256Digest($0) })
    }
}
