internal import LinuxSystem
public import SystemPackage

/// Unpacked kernels, kept in a folder between starts. Everything in it can be made again.
///
/// A kernel is identified by its file: device, inode, size, and the times of its last changes. The kernel's clock sets
/// the last of them, so that no file can pretend to be another. Finding it reads nothing of the file.
public struct KernelCache: Sendable {
    /// A kernel that is not used again is removed when more than this many others are newer.
    static let limit = 16

    let folder: FilePath

    public init(folder: FilePath) { self.folder = folder }

    func path(for identity: FileRevision) -> FilePath { folder.appending("\(identity).elf") }

    func open(_ identity: FileRevision) -> OwnedDescriptor? {
        try? OwnedDescriptor.open(path(for: identity), .readOnly)
    }

    /// Adds a kernel, whole or not at all. A cache that cannot be written only costs time at the next start.
    func add(_ identity: FileRevision, _ write: (borrowing OwnedDescriptor) throws(SystemError) -> Void) {
        let target = path(for: identity)
        let temporary = FilePath("\(target).\(randomIdentifier(bytes: 4)).tmp")
        do throws(SystemError) {
            try FileSystem.makeDirectory(folder, permissions: 0o700)
            let file = try OwnedDescriptor.open(temporary, [.writeOnly, .create, .exclusive], permissions: 0o600)
            try write(file)
            try file.synchronizeData()
            file.close()
            try FileSystem.rename(temporary, to: target)
        } catch { try? FileSystem.remove(temporary) }
        removeOldest()
    }

    func removeOldest() {
        guard let names = try? FileSystem.list(folder) else { return }
        var files: [(name: String, modified: Int64)] = []
        for name in names {
            guard let status = try? FileSystem.status(folder.appending(name)) else { continue }
            // A killed process leaves its temporary file; a live one finishes within a minute.
            if name.hasSuffix(".tmp"), wallClockSeconds() - status.modified > 3600 {
                try? FileSystem.removeTree(folder.appending(name))
            } else if name.hasSuffix(".elf") {
                files.append((name, status.modified))
            }
        }
        for file in files.sorted(by: { $0.modified > $1.modified }).dropFirst(Self.limit) {
            try? FileSystem.remove(folder.appending(file.name))
        }
    }
}
