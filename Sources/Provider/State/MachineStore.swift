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
            return try MachineRecord(try JSONParser.parse(bytes), path: path.string)
        } catch let error as JSONError {
            throw ProviderError.damagedRecord(path: path, cause: error)
        }
    }

    /// Writes the record so that a crash leaves the old or the new one.
    func save(_ record: MachineRecord) throws {
        let folder = layout.machine(record.name)
        if try !FileSystem.isDirectory(folder.path) { try FileSystem.makeDirectory(folder.path, permissions: 0o700) }
        try AtomicFile.write(record.json.pretty, to: folder.record, permissions: 0o600)
    }
}
