import JSON
import LinuxSystem
import SystemPackage

/// Reads and writes machines' records.
public struct MachineStore: Sendable {
    public let layout: ProjectLayout

    public init(layout: ProjectLayout) { self.layout = layout }

    /// The machine's record; nil if there is no such machine. Changes nothing.
    public func load(_ name: String) throws -> MachineRecord? {
        let path = layout.machine(name).record
        guard let bytes = try FileSystem.readIfThere(path, limit: 4 << 20) else { return nil }
        do {
            let value = try JSONParser.parse(bytes)
            var record = try MachineRecord(value, path: path.string)
            if let written = value[Self.folderKey]?.stringValue, written != mark(name) { record.copied() }
            return record
        } catch let error as JSONError {
            throw ProviderError.damagedRecord(path: path, cause: error)
        }
    }

    /// Writes the record so that a crash leaves the old or the new one.
    func save(_ record: MachineRecord) throws {
        let folder = layout.machine(record.name)
        if try !FileSystem.isDirectory(folder.path) { try FileSystem.makeDirectory(folder.path, permissions: 0o700) }
        var members = record.json.objectValue ?? []
        members.append(JSONMember(Self.folderKey, .optional(mark(record.name))))
        try AtomicFile.write(JSONValue.object(members).pretty, to: folder.record, permissions: 0o600)
    }

    private static let folderKey = "folder"

    /// What tells a machine's folder, also after it was moved, from a copy of it; nil if it cannot be looked at.
    private func mark(_ name: String) -> String? {
        (try? FileSystem.status(layout.machine(name).path)).map { String($0.inode) }
    }
}
