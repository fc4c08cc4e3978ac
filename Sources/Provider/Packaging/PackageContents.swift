import BoxFormat
import LinuxSystem
import Reporting
import SystemPackage

/// Files that a box carries beside its disk, by their names in the box.
struct PackageContents {
    private(set) var files: [String: BoxWriter.Content] = [:]
    /// The files on this host, by device and inode.
    private var identities: Set<[UInt64]> = []

    func holds(_ status: FileStatus) -> Bool { identities.contains([status.device, status.inode]) }

    /// A relative `a/b` becomes `include/a/b`, an absolute path `include/` and its last part. Of folders, everything
    /// below. Looks at all of it, so that what is missing is known before any work.
    init(_ options: PackageOptions) throws {
        for (word, path) in options.includes {
            guard !path.components.contains(Self.state) else { throw PackageError.includesState(path) }
            let written = FilePath(word).lexicallyNormalized()
            let isInside = written.isRelative && written.components.first.map { $0.kind == .regular } == true
            let name = isInside ? written.string : (path.lastComponent?.string ?? "file")
            try add(path, as: "include/\(name)", ancestors: [])
        }
        if let path = options.wanderfile { try addFile(path, as: BoxDescription.wanderfileName) }
        if let path = options.info {
            guard path.lastComponent?.string == "info.json" else { throw PackageError.wrongInfo(path) }
            try addFile(path, as: "info.json")
        }
        // A box that could be packed and not be added is of no use.
        try BoxWriter.checked(files.keys)
    }

    /// Where machines have their disks and private keys. It gets into no box with the project's other files.
    private static let state = FilePath.Component(".wander")

    private mutating func addFile(_ path: FilePath, as name: String) throws {
        if try FileSystem.isDirectory(path) { throw PackageError.notAFile(path) }
        try add(path, as: name, ancestors: [])
    }

    /// - Parameter ancestors: Folders that `path` is in, by device and inode: links may lead back to one.
    private mutating func add(_ path: FilePath, as name: String, ancestors: [[UInt64]]) throws {
        guard let status = try FileSystem.status(path) else { throw PackageError.missingInclude(path) }
        if try FileSystem.status(path, followLinks: false)?.kind == .symbolicLink,
            try FileSystem.resolve(path).components.contains(Self.state)
        {
            throw PackageError.includesState(path)
        }
        switch status.kind {
        case .regular:
            guard files.updateValue(.file(path), forKey: name) == nil else { throw PackageError.twoIncludes(name) }
            identities.insert([status.device, status.inode])
            // One that may not be read is to be known now.
            _ = try OwnedDescriptor.open(path, .readOnly)
        case .directory:
            let identity = [status.device, status.inode]
            guard !ancestors.contains(identity), ancestors.count < 64 else { throw PackageError.includeLoop(path) }
            for entry in try FileSystem.list(path) where entry != Self.state.string {
                try add(path.appending(entry), as: "\(name)/\(entry)", ancestors: ancestors + [identity])
            }
        default: throw PackageError.includeNotAFile(path)
        }
    }
}
