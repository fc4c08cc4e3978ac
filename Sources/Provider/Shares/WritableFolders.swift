import EnvFile
import LinuxSystem
import SystemPackage

/// Folders of the host that guests may write to. A guest may put a link there in place of what the Wanderfile names.
/// wander would then share, or read and hand over, something else of the host's.
struct WritableFolders {
    let folders: [FilePath]

    init(_ folders: [FilePath]) { self.folders = folders.map { $0.lexicallyNormalized() } }

    /// Those of every machine, since one folder may be shared with several.
    init(of machines: [MachineDefinition], in project: FilePath) {
        self.init(machines.flatMap(\.shares).filter { $0.mode == .readWrite }.map { $0.host.resolved(in: project) })
    }

    /// Reads a file of the host that the Wanderfile names, and nothing that a guest has put in its place.
    /// - Throws: ``ShareError/leadsOut(host:share:)``, or ``SystemError``.
    func read(_ path: HostPath, in project: FilePath, limit: Int = 64 << 20) throws -> [UInt8] {
        let file = path.resolved(in: project)
        try check(file, as: path.text)
        return try GuardedPath(file, outOf: folders).read(limit: limit)
    }

    /// - Parameters:
    ///   - path: Absolute. It need not exist.
    ///   - text: As the Wanderfile names it.
    /// - Throws: ``ShareError/leadsOut(host:share:)`` if it is named as a part of such a folder and is outside of it,
    ///   or would be once it is made.
    func check(_ path: FilePath, as text: String) throws {
        let path = path.lexicallyNormalized()
        for folder in folders where try path != folder && path.starts(with: folder) && FileSystem.exists(folder) {
            var present = path
            while present != folder, try FileSystem.status(present, followLinks: false) == nil {
                present.removeLastComponent()
            }
            let inside = try FileSystem.resolve(folder)
            // A link that leads nowhere would lead somewhere later; `.wander` is hidden from guests.
            guard let target = try? FileSystem.resolve(present), target.starts(with: inside),
                !target.components.dropFirst(inside.components.count).contains(".wander")
            else {
                throw ShareError.leadsOut(host: text, share: folder.string)
            }
        }
    }
}
