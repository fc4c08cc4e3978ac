import Glibc
import SystemPackage

// From a node to the file that it stands for.

extension FileSystemServer {
    /// The longest chain of folders whose descriptors were let go of. Programs that go down step by step get deeper
    /// than any path; an end there has to be, since the host's user may put a folder below itself, as the guest knows
    /// it.
    private static let depthLimit = 1 << 16

    /// A descriptor of a folder that the guest knows, only good for naming what is in it.
    /// - Throws: `ESTALE` if the folder is not where it was; `ENOTDIR` for other files.
    func folder(_ node: UInt64) throws(Errno) -> HostFile {
        var chain: [NodeTable.Place] = []
        var next = node
        var base: HostFile?
        while base == nil {
            let place = try nodes.place(of: next)
            guard place.identity.kind == .folder else { throw next == node ? .notDirectory : .staleNFSFileHandle }
            if let file = place.file {
                base = file
            } else {
                guard place.parent != 0, chain.count < Self.depthLimit else { throw .staleNFSFileHandle }
                chain.append(place)
                base = place.folder
                next = place.parent
            }
        }
        guard var folder = base else { throw .staleNFSFileHandle }
        for place in chain.reversed() {
            do throws(Errno) {
                // One that was used long ago makes room: otherwise each request would begin at the root.
                folder = try open(place, in: folder, for: .kept)
                nodes.keep(folder, for: place.node)
            } catch .tooManyOpenFilesInSystem {
                folder = try open(place, in: folder, for: .request)
            }
        }
        return folder
    }

    /// A descriptor that names the file of `node`, without having opened it.
    func file(_ node: UInt64) throws(Errno) -> HostFile { try file(nodes.place(of: node)) }

    func file(
        _ place: NodeTable.Place, for use: DescriptorBound.Use = .request
    ) throws(Errno) -> HostFile {
        if let file = place.file { return file }
        if place.identity.kind == .folder { return try folder(place.node) }
        return try open(place, in: try folderOf(place), for: use)
    }

    /// What the host says of `node` now.
    func status(_ node: UInt64) throws(Errno) -> HostStatus {
        let place = try nodes.place(of: node)
        if let file = place.file { return try HostStatus(of: file) }
        let folder = try folderOf(place)
        let status = try Self.orStale { () throws(Errno) in try HostStatus(of: place.name, in: folder) }
        guard identity(status) == place.identity else { throw .staleNFSFileHandle }
        return status
    }

    private func folderOf(_ place: NodeTable.Place) throws(Errno) -> HostFile {
        if let folder = place.folder { return folder }
        guard place.parent != 0 else { throw .staleNFSFileHandle }
        return try Self.orStale { () throws(Errno) in try folder(place.parent) }
    }

    /// Opens, only to name it, what is at `place`, and makes sure that it is what was there.
    private func open(
        _ place: NodeTable.Place, in folder: HostFile, for use: DescriptorBound.Use
    ) throws(Errno) -> HostFile {
        let file = try openDescriptor(for: use) { () throws(Errno) in
            try Self.orStale { () throws(Errno) in try HostCall.openPath(place.name, in: folder) }
        }
        do throws(Errno) { try require(file, place.identity) } catch {
            if error == .staleNFSFileHandle, ReplacedNames.holds(place.identity.kind) {
                replacedNames.note(place.name, in: place.parent)
            }
            throw error
        }
        return file
    }

    /// Opens a descriptor that may be kept. Where there are too many, folders that can be found again give theirs.
    func openDescriptor(
        for use: DescriptorBound.Use, _ open: () throws(Errno) -> CInt
    ) throws(Errno) -> HostFile {
        for _ in 0..<8 {
            do throws(Errno) { return try bound.open(use, open) } catch {
                // A descriptor that a request still uses is not free at once.
                guard error == .tooManyOpenFilesInSystem, use != .request, nodes.letFolderGo() else { throw error }
            }
        }
        return try bound.open(use, open)
    }

    /// - Throws: `ESTALE` for another file than `expected`; `EACCES` for one that the host's kernel made up, which is
    ///   to be seen and nothing else: who writes to it, even in a folder that was shared for other reasons, commands
    ///   the host.
    func require(_ file: HostFile, _ expected: FileIdentity) throws(Errno) {
        let status = try HostStatus(of: file)
        guard identity(status) == expected else { throw .staleNFSFileHandle }
        guard status.device != inodeNumbers.home else { return }
        guard try !FileSystemStatus(of: file).isKernels else { throw .permissionDenied }
    }

    /// A file that is gone from its place may have another one: `ESTALE` makes the guest look for it, `ENOENT` would
    /// not.
    static func orStale<R>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        do throws(Errno) { return try body() } catch {
            switch error {
            case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: throw .staleNFSFileHandle
            default: throw error
            }
        }
    }

    /// - Throws: `ENOENT` for a name that the guest must not see.
    func requireVisible(_ name: FileName) throws(Errno) {
        if isHidden(name) { throw .noSuchFileOrDirectory }
    }

    /// - Throws: `EPERM` for a name that the guest must not make.
    func requireUsable(_ name: FileName) throws(Errno) {
        if isHidden(name) { throw .notPermitted }
    }

    func isHidden(_ name: FileName) -> Bool { isHidden(name.bytes.dropLast()) }

    func isHidden(_ name: some Collection<UInt8>) -> Bool {
        hiddenNames.contains { hidden in
            hidden.count <= name.count && hidden.elementsEqual(name.lazy.filter { $0 < 0x80 }.map(Self.lowercased))
                && (hidden.count == name.count || Self.hasOnlyInvisible(name))
        }
    }

    /// Whether all that is not ASCII in a name are characters that nobody sees. Where case does not matter, they may
    /// not either (ext4(5), casefold: the default ignorable code points). What is not UTF-8 is compared byte by byte
    /// there.
    private static func hasOnlyInvisible(_ name: some Collection<UInt8>) -> Bool {
        var decoder = UTF8()
        var bytes = name.makeIterator()
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue(let scalar):
                guard scalar.isASCII || scalar.properties.isDefaultIgnorableCodePoint else { return false }
            case .emptyInput: return true
            case .error: return false
            }
        }
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
