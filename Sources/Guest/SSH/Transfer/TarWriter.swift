import Glibc
import LinuxSystem
import SystemPackage
import Tar

/// A folder of the host, or one file, as a tar stream (POSIX ustar with GNU's long names, which every tar reads), made
/// piece by piece. Links are kept as links; sockets and devices are left out.
struct TarWriter {
    /// In the archive and below the folder; relative.
    private var waiting: [FilePath] = []
    /// nil for a single file.
    private let folder: SharedDescriptor?
    /// Whether others may write to the folder: what is hidden from them is left out.
    private let isGuarded: Bool
    /// Numeric ids that the entries bear.
    var owner: (user: UInt32, group: UInt32) = (0, 0)
    /// The permissions of regular files; nil keeps those of the host's files.
    var permissions: UInt32?
    /// Whether holes of files are left out, which GNU's tar and bsdtar understand.
    var leavesOutHoles = false
    private var file: SparseFile?
    private var isFinished = false
    /// What comes before anything else.
    private var first: [UInt8] = []

    /// The contents of `folder`, not the folder itself.
    init(contentsOf folder: GuardedPath) throws(SSHError) {
        isGuarded = folder.folder != nil
        let opened: SharedDescriptor
        do { opened = SharedDescriptor(try folder.open()) } catch { throw .system(error) }
        self.folder = opened
        try push(opened, FilePath())
    }

    /// One file with holes, by another name.
    init(_ file: SparseFile, status: FileStatus, name: String) {
        (folder, isGuarded) = (nil, false)
        self.file = file
        first = file.header(Array(name.utf8), status, owner)
    }

    /// The names in front, so that what comes next is the last; children follow their folder.
    private mutating func push(_ opened: SharedDescriptor, _ prefix: FilePath) throws(SSHError) {
        do {
            for name in try opened.names().reversed() where !isGuarded || name != ".wander" {
                waiting.append(prefix.pushing(name))
            }
        } catch { throw .system(error) }
    }

    /// The next piece of the stream, about `limit` bytes; empty at its end.
    mutating func next(_ limit: Int) throws(SSHError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit, !isFinished {
            if !first.isEmpty {
                bytes += first
                first = []
            } else if file != nil {
                try appendFile(to: &bytes, limit)
            } else if let item = waiting.popLast() {
                try append(item, to: &bytes)
            } else {
                bytes += TarBlock.end
                isFinished = true
            }
        }
        return bytes
    }

    private mutating func appendFile(to bytes: inout [UInt8], _ limit: Int) throws(SSHError) {
        guard var current = file else { return }
        bytes += try current.next(max(1, limit - bytes.count))
        file = current.isAtEnd ? nil : current
    }

    private mutating func append(_ item: FilePath, to bytes: inout [UInt8]) throws(SSHError) {
        let name = item.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }.map {
            UInt8(bitPattern: $0)
        }
        guard let folder else { return }
        do {
            // Names what is there, whatever it is, and follows no link.
            let place = try folder.openBeneath(item, .path)
            let status = try place.status()
            switch status.kind {
            case .directory:
                TarHeader.append(name + [0x2f], status, owner, type: "5", to: &bytes)
                try push(SharedDescriptor(try folder.openBeneath(item, [.readOnly, .directory])), item)
            case .symbolicLink:
                let link = try FileSystem.readLink("", at: place.rawValue)
                let target = link.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }
                TarHeader.append(
                    name, status, owner, type: "2", link: target.map { UInt8(bitPattern: $0) }, to: &bytes)
            case .regular:
                let descriptor = try folder.openBeneath(item, [.readOnly, .nonBlocking])
                var opened = try descriptor.status()
                guard opened.kind == .regular else { return }
                if let permissions { opened.permissions = permissions }
                let sparse = leavesOutHoles ? try SparseFile(descriptor, opened) : nil
                if let sparse {
                    bytes += sparse.header(name, opened, owner)
                    file = sparse
                } else {
                    TarHeader.append(name, opened, owner, type: "0", size: opened.size, to: &bytes)
                    file = SparseFile(whole: descriptor, opened)
                }
            case .socket, .other: break
            }
        } catch let error as SystemError {
            // Gone meanwhile, or replaced by a link.
            if [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error.errno) { return }
            throw .system(error)
        } catch let error as SSHError {
            throw error
        } catch {
            throw .transferFailed(path: item.string, reason: "\(error)")
        }
    }
}
