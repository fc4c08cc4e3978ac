import CLinux
import Glibc
import GuestMemory
import LinuxSystem
import SystemPackage

/// The guest's memory as the front-end describes it: pieces of one file, with the addresses that guest and front-end
/// have for them.
struct MemoryTable {
    static let regionByteCount = 32
    /// What a front-end may send without asking (VHOST_MEMORY_BASELINE_NREGIONS).
    static let regionLimit = 8

    struct Region: Equatable {
        var guestAddress: UInt64
        var byteCount: UInt64
        /// In the front-end's own address space, in which it tells where rings are.
        var userAddress: UInt64
        var fileOffset: UInt64
    }

    /// Which file the memory is, and how it is laid out.
    struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64
        var byteCount: Int
        var lowLimit: UInt64
    }

    let regions: [Region]
    let identity: Identity
    let memory: GuestMemory

    /// Reads the table and maps the memory.
    /// - Parameter current: What is mapped already; kept if it is the same memory.
    /// - SeeAlso: vhost-user.rst, "Memory regions description".
    init(_ message: Message, current: MemoryTable?) throws(VhostUserError) {
        let count = Int(message.word(UInt32.self, at: 0))
        guard (1...Self.regionLimit).contains(count), message.payload.count == 8 + count * Self.regionByteCount else {
            throw message.malformed("\(count) regions do not fit into \(message.payload.count) bytes")
        }
        guard message.descriptors.count == count, let file = message.descriptors.first else {
            throw message.malformed("\(count) regions came with \(message.descriptors.count) descriptors")
        }
        let regions = (0..<count).map { index in
            let offset = 8 + index * Self.regionByteCount
            return Region(
                guestAddress: message.word(at: offset), byteCount: message.word(at: offset + 8),
                userAddress: message.word(at: offset + 16), fileOffset: message.word(at: offset + 24))
        }
        let (device, inode, byteCount) = try Self.identify(message.descriptors)
        let lowLimit = try Self.lowLimit(regions, byteCount: byteCount)
        let identity = Identity(device: device, inode: inode, byteCount: byteCount, lowLimit: lowLimit)
        self.regions = regions
        self.identity = identity
        if let current, current.identity == identity {
            memory = current.memory
            return
        }
        do throws(SystemError) {
            memory = try GuestMemory(
                mapping: try MemoryMapping.shared(file.value, count: byteCount), lowLimit: lowLimit)
        } catch { throw .system(error) }
    }

    /// Where guests see an address of the front-end; nil if it is in no region.
    func guestAddress(ofUserAddress address: UInt64) -> UInt64? {
        for region in regions where address >= region.userAddress && address - region.userAddress < region.byteCount {
            return region.guestAddress + (address - region.userAddress)
        }
        return nil
    }

    /// All descriptors are one file that cannot become shorter: a page behind its end would end this process.
    private static func identify(_ descriptors: [SharedDescriptor]) throws(VhostUserError) -> (UInt64, UInt64, Int) {
        var found: (UInt64, UInt64, Int)?
        for descriptor in descriptors {
            var status = stat()
            guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
                throw .unusableMemory("its file cannot be looked at")
            }
            let mine = (UInt64(status.st_dev), UInt64(status.st_ino), Int(status.st_size))
            if let found, found != mine { throw .unusableMemory("it is more than one file") }
            found = mine
            let seals = linux_fcntl(descriptor.rawValue, CInt(linux_get_seals), 0)
            guard seals > 0, seals & Int(linux_seal_shrink) != 0 else {
                throw .unusableMemory("its file could become shorter")
            }
        }
        guard let found, found.2 > 0, found.2 % GuestMemory.pageSize == 0 else {
            throw .unusableMemory("its file is not whole pages")
        }
        return found
    }

    /// Behind the last byte of low memory. Low memory begins at the file's start, high memory right behind the low.
    private static func lowLimit(_ regions: [Region], byteCount: Int) throws(VhostUserError) -> UInt64 {
        var limit: UInt64?
        let size = UInt64(byteCount)
        for region in regions {
            let guestEnd = region.guestAddress.addingReportingOverflow(region.byteCount)
            let fileEnd = region.fileOffset.addingReportingOverflow(region.byteCount)
            let userEnd = region.userAddress.addingReportingOverflow(region.byteCount)
            guard region.byteCount > 0, !guestEnd.overflow, !fileEnd.overflow, !userEnd.overflow,
                fileEnd.partialValue <= size
            else { throw .unusableMemory("a region is outside its file") }
            guard region.guestAddress >= GuestMemory.highStart else {
                guard guestEnd.partialValue <= GuestMemory.highStart, region.fileOffset == region.guestAddress else {
                    throw .unusableMemory("a region below 4 GiB is not at its own place in the file")
                }
                continue
            }
            let above = region.guestAddress - GuestMemory.highStart
            guard region.fileOffset > above, limit == nil || limit == region.fileOffset - above else {
                throw .unusableMemory("a region above 4 GiB is not right behind those below")
            }
            limit = region.fileOffset - above
        }
        let found = limit ?? min(size, GuestMemory.highStart)
        for region in regions where region.guestAddress < GuestMemory.highStart {
            guard region.guestAddress + region.byteCount <= found else {
                throw .unusableMemory("regions overlap")
            }
        }
        guard found <= GuestMemory.highStart, found % UInt64(GuestMemory.pageSize) == 0 else {
            throw .unusableMemory("low memory ends at \(found)")
        }
        return found
    }
}
