import LinuxSystem
import Synchronization
import SystemPackage

/// A descriptor that counts against the server's limit, closed when nobody uses it any longer.
final class HostFile: Sendable {
    private let descriptor: OwnedDescriptor
    private let bound: DescriptorBound

    /// Takes ownership of an open descriptor that `bound` has admitted.
    init(owning rawValue: CInt, _ bound: DescriptorBound) {
        descriptor = OwnedDescriptor(owning: rawValue)
        self.bound = bound
    }

    deinit { bound.giveBack() }

    /// Calls `body` with the descriptor's number, as system calls take it. It is this file's until `body` returns; a
    /// number that outlived the file would be another's.
    func use<R>(_ body: (UInt) -> R) -> R {
        withExtendedLifetime(self) { body(UInt(bitPattern: Int(descriptor.rawValue))) }
    }
}

/// How many descriptors the server may hold, so that a guest cannot take the process's last one.
final class DescriptorBound: Sendable {
    let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) { self.limit = max(limit, 64) }

    /// What a descriptor is for. Those that a guest can keep leave some for those that live for one request, and files
    /// some for the folders that programs list, whatever else is open.
    enum Use {
        case request
        case folder
        case kept
    }

    /// How many there are.
    var count: Int { used.load(ordering: .relaxed) }

    /// Opens a file if there is a descriptor left for it.
    /// - Throws: `ENFILE` if there is none, and what `open` throws.
    func open(_ use: Use, _ open: () throws(Errno) -> CInt) throws(Errno) -> HostFile {
        let reserve =
            switch use {
            case .request: 0
            case .folder: max(limit / 16, 16)
            case .kept: max(limit / 8, 32)
            }
        let (_, count) = used.add(1, ordering: .relaxed)
        guard count <= limit - reserve else {
            giveBack()
            throw .tooManyOpenFilesInSystem
        }
        do throws(Errno) {
            return HostFile(owning: try open(), self)
        } catch {
            giveBack()
            throw error == .tooManyOpenFiles ? .tooManyOpenFilesInSystem : error
        }
    }

    fileprivate func giveBack() { used.subtract(1, ordering: .relaxed) }
}
