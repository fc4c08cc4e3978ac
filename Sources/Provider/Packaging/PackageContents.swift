import BoxFormat
import LinuxSystem
import Reporting
import SystemPackage

/// Files that a box carries beside its disk, by their names in the box.
struct PackageContents {
    private(set) var files: [String: BoxWriter.Content] = [:]

    /// A relative `a/b` becomes `include/a/b`, an absolute path `include/` and its last part. Of folders, everything below.
    /// Looks at all of it, so that what is missing is known before any work.
    init(_ options: PackageOptions) throws {
        for (word, path) in options.includes {
            let written = FilePath(word).lexicallyNormalized()
            let isInside = written.isRelative && written.components.first.map { $0.kind == .regular } == true
            let name = isInside ? written.string : (path.lastComponent?.string ?? "file")
            try add(path, as: "include/\(name)", ancestors: [])
        }
        if let path = options.wanderfile { try add(path, as: BoxDescription.wanderfileName, ancestors: []) }
        if let path = options.info {
            guard path.lastComponent?.string == "info.json" else { throw PackageError.wrongInfo(path) }
            try add(path, as: "info.json", ancestors: [])
        }
    }

    /// - Parameter ancestors: Folders that `path` is in, by device and inode: links may lead back to one.
    private mutating func add(_ path: FilePath, as name: String, ancestors: [[UInt64]]) throws {
        guard let status = try FileSystem.status(path) else { throw PackageError.missingInclude(path) }
        switch status.kind {
        case .regular:
            guard files.updateValue(.file(path), forKey: name) == nil else { throw PackageError.twoIncludes(name) }
        case .directory:
            let identity = [status.device, status.inode]
            guard !ancestors.contains(identity), ancestors.count < 64 else { throw PackageError.includeLoop(path) }
            for entry in try FileSystem.list(path) {
                try add(path.appending(entry), as: "\(name)/\(entry)", ancestors: ancestors + [identity])
            }
        default: throw PackageError.includeNotAFile(path)
        }
    }
}
