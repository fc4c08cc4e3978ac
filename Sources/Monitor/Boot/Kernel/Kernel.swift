internal import CLinux
public import LinuxSystem
public import SystemPackage

/// A file that parts of a guest's memory are read from.
public final class BootFile: Sendable {
    public let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}

/// A kernel, ready to be placed in a guest's memory.
public struct Kernel: Sendable {
    /// How the guest enters it.
    public enum Form: Sendable, Equatable {
        /// Unpacked by the host; the guest starts in the kernel itself.
        case unpacked
        /// As the file has it; the guest unpacks it, and may place it at random (KASLR).
        case packed
    }

    struct Part: Sendable {
        var offset: UInt64
        var count: UInt64
        var address: UInt64
    }

    let path: FilePath
    let file: BootFile
    /// What to read from `file`, and where to put it.
    let parts: [Part]
    /// nil for an ELF file that came without one.
    let setup: [UInt8]?
    let commandLineLimit: Int
    let initialRAMDiskLimit: UInt64
    /// In 64-bit mode.
    let entry: UInt64
    /// In 32-bit mode (PVH); nil if the kernel names none.
    let directEntry: UInt64?
    /// What the kernel occupies before it has its own memory management.
    let extent: Range<UInt64>

    /// Opens a bzImage or an ELF kernel.
    /// - Parameters:
    ///   - cache: Where to look for the unpacked kernel, and to keep it.
    ///   - form: `packed` is only for bzImages.
    ///   - memory: The guest's RAM in bytes. A kernel that does not fit is refused before any of it is written.
    public static func open(
        _ path: FilePath, cache: KernelCache? = nil, form: Form = .unpacked,
        memory: UInt64 = MachineLayout.firstMemoryLimit
    ) throws(BootError) -> Kernel {
        let descriptor = try system { () throws(SystemError) in try OwnedDescriptor.open(path, .readOnly) }
        let identity = try system { () throws(SystemError) in try FileRevision(descriptor) }
        let prefix = try readPrefix(descriptor, size: identity.size, limit: prefixLimits.first)
        let header: SetupHeader
        do {
            header = try ByteReader.reading(prefix[...]) { (reader) throws(SetupHeader.Problem) in
                try SetupHeader(reader, fileSize: identity.size)
            }
        } catch {
            switch error {
            case .notABzImage: return try openELF(path, descriptor, size: identity.size, setup: nil)
            case .tooOld(let version):
                throw .unsupportedKernel(
                    path, reason: "its boot protocol is \(version >> 8).\(version & 0xff), before 2.12")
            case .no64BitEntry: throw .unsupportedKernel(path, reason: "it has no 64-bit entry")
            case .damaged(let reason): throw .damagedKernel(path, reason: reason)
            }
        }
        if form == .packed { return try packed(path, descriptor, header, size: identity.size) }
        if let cached = cache?.open(identity) {
            let size = try system { () throws(SystemError) in try FileRevision(cached).size }
            // A cache that is damaged is made again below.
            if let kernel = try? openELF(path, cached, size: size, setup: header) { return kernel }
        }
        return try unpack(path, descriptor, header, identity, cache, memory: memory)
    }

    /// Whether a kernel lies where RAM is.
    static func check(_ extent: Range<UInt64>, memory: UInt64, _ path: FilePath) throws(BootError) {
        guard extent.lowerBound >= MachineLayout.highMemory else {
            throw .unsupportedKernel(path, reason: "it is loaded below 1 MiB")
        }
        guard extent.upperBound <= min(memory, MachineLayout.firstMemoryLimit) else {
            throw .notEnoughMemory(needed: extent.upperBound, available: memory)
        }
    }

    /// How much of a file is looked at, in bytes: what nearly all kernels need, and the most.
    static let prefixLimits = (first: UInt64(16 << 10), last: UInt64(256 << 10))

    static func readPrefix(
        _ descriptor: borrowing OwnedDescriptor, size: UInt64, limit: UInt64 = prefixLimits.last
    ) throws(BootError) -> [UInt8] {
        var failure: SystemError?
        let wanted = Int(min(size, limit))
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
            do throws(SystemError) {
                initialized = try unsafe descriptor.readWhole(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            } catch { failure = error }
        }
        if let failure { throw .system(failure) }
        return bytes
    }

    private static func packed(
        _ path: FilePath, _ descriptor: consuming OwnedDescriptor, _ header: SetupHeader, size: UInt64
    ) throws(BootError) -> Kernel {
        // Enough for any kernel, and no sum of such numbers overflows.
        guard header.preferredAddress < 1 << 32, header.preferredAddress >= MachineLayout.highMemory else {
            throw .damagedKernel(path, reason: "it asks to be loaded where no kernel can be")
        }
        let address = header.preferredAddress
        return Kernel(
            path: path, file: BootFile(descriptor),
            parts: [Part(offset: header.protectedOffset, count: size - header.protectedOffset, address: address)],
            setup: header.bytes, commandLineLimit: header.commandLineLimit,
            initialRAMDiskLimit: header.initialRAMDiskLimit, entry: address + 0x200, directEntry: nil,
            extent: address..<address + max(header.initialSize, size))
    }

    private static func openELF(
        _ path: FilePath, _ descriptor: consuming OwnedDescriptor, size: UInt64, setup: SetupHeader?
    ) throws(BootError) -> Kernel {
        let (prefix, image) = try parse(descriptor, size: size, path)
        var direct: UInt64?
        for range in image.notes where direct == nil {
            guard range.upperBound <= UInt64(prefix.count) else { continue }
            direct = ByteReader.reading(prefix[Int(range.lowerBound)..<Int(range.upperBound)]) {
                ELFImage.directEntry(inNotes: $0)
            }
        }
        let parts = image.segments.filter { $0.fileCount > 0 }.map {
            Part(offset: $0.offset, count: $0.fileCount, address: $0.physicalAddress)
        }
        return Kernel(
            path: path, file: BootFile(descriptor), parts: parts, setup: setup?.bytes,
            commandLineLimit: setup?.commandLineLimit ?? 2047,
            initialRAMDiskLimit: setup?.initialRAMDiskLimit ?? 0x7fff_ffff, entry: image.entry, directEntry: direct,
            extent: image.memoryStart..<image.memoryEnd)
    }

    /// The file's headers and, as far as they are near, its notes; and what they say.
    private static func parse(
        _ descriptor: borrowing OwnedDescriptor, size: UInt64, _ path: FilePath
    ) throws(BootError) -> ([UInt8], ELFImage) {
        let first = try readPrefix(descriptor, size: size, limit: prefixLimits.first)
        if let image = try? parse(first, size: size, path),
            image.notes.allSatisfy({ $0.upperBound <= prefixLimits.first })
        {
            return (first, image)
        }
        let whole = try readPrefix(descriptor, size: size, limit: prefixLimits.last)
        return (whole, try parse(whole, size: size, path))
    }

    private static func parse(_ bytes: [UInt8], size: UInt64, _ path: FilePath) throws(BootError) -> ELFImage {
        do {
            return try ByteReader.reading(bytes[...]) { (reader) throws(ELFImage.Problem) in
                try ELFImage(reader, fileSize: size)
            }
        } catch {
            switch error {
            case .notELF: throw .notAKernel(path)
            case .damaged(let reason): throw .damagedKernel(path, reason: reason)
            }
        }
    }

    private static func unpack(
        _ path: FilePath, _ descriptor: borrowing OwnedDescriptor, _ header: SetupHeader, _ identity: FileRevision,
        _ cache: KernelCache?, memory: UInt64
    ) throws(BootError) -> Kernel {
        let payload = try readPayload(path, descriptor, header)
        // The size that the build appended.
        let whole = unsafe ByteReader(UnsafeRawBufferPointer(payload.bytes))
        let size = whole.load(UInt32.self, at: header.payload.count) ?? 0
        let packed = unsafe UnsafeRawBufferPointer(rebasing: payload.bytes[..<header.payload.count])
        let unpacked: MemoryMapping
        do { unpacked = try unsafe Unpacking.unpack(packed, size: Int(size)) } catch {
            switch error {
            case .unknownCodec:
                throw .unsupportedKernel(path, reason: "it is packed with a codec other than gzip, xz, zstd and lz4")
            case .size(let size): throw .damagedKernel(path, reason: "it declares \(size) bytes when unpacked")
            case .corrupt(let codec): throw .damagedKernel(path, reason: "its \(codec.rawValue) data do not unpack")
            case .noMemory: throw .system(SystemError("get memory to unpack the kernel", path, .noMemory))
            }
        }
        let bytes = unsafe UnsafeRawBufferPointer(unpacked.bytes)
        let image: ELFImage
        do { image = try unsafe ELFImage(ByteReader(bytes), fileSize: UInt64(size)) } catch {
            if case .damaged(let reason) = error {
                throw .damagedKernel(path, reason: "what it holds is damaged: \(reason)")
            }
            throw .damagedKernel(path, reason: "what it holds is no kernel for x86-64")
        }
        try check(image.memoryStart..<image.memoryEnd, memory: memory, path)
        let trimmed = unsafe TrimmedKernel(image, of: bytes)
        cache?.add(identity) { (file) throws(SystemError) in try unsafe trimmed.write(from: bytes, to: file) }
        // Also without a cache, or if it cannot be written: from memory.
        let file = try system { () throws(SystemError) in try makeMemoryFile() }
        try system { () throws(SystemError) in try unsafe trimmed.write(from: bytes, to: file) }
        let fileSize = try system { () throws(SystemError) in try FileRevision(file).size }
        return try openELF(path, file, size: fileSize, setup: header)
    }

    /// Reads the packed kernel and the four bytes behind it. Not through a mapping: the file may lie where a
    /// guest writes, and one that is cut short meanwhile would end the process (`SIGBUS`).
    private static func readPayload(
        _ path: FilePath, _ descriptor: borrowing OwnedDescriptor, _ header: SetupHeader
    ) throws(BootError) -> MemoryMapping {
        guard header.payload.count <= Unpacking.sizeLimit else {
            throw .damagedKernel(path, reason: "its packed part has \(header.payload.count) bytes")
        }
        let count = header.payload.count + 4
        let mapping = try system { () throws(SystemError) in try MemoryMapping.anonymous(count: count) }
        let done = try system { () throws(SystemError) in
            try unsafe descriptor.readWhole(into: mapping.bytes, at: Int64(header.payload.lowerBound))
        }
        guard done == count else { throw .damagedKernel(path, reason: "it ends before its packed part does") }
        return mapping
    }

    private static func makeMemoryFile() throws(SystemError) -> OwnedDescriptor {
        let raw = unsafe linux_memfd_create("kernel", 1)  // MFD_CLOEXEC
        guard raw >= 0 else {
            throw SystemError("make a memory file", nil, Errno(rawValue: CInt(truncatingIfNeeded: -raw)))
        }
        return OwnedDescriptor(owning: CInt(raw))
    }
}

extension TrimmedKernel {
    /// Writes the new file, from the old one's bytes.
    func write(from file: UnsafeRawBufferPointer, to target: borrowing OwnedDescriptor) throws(SystemError) {
        try target.writeAll(head)
        for run in runs {
            try unsafe target.writeAll(UnsafeRawBufferPointer(rebasing: file[run]))
            try target.writeAll([UInt8](repeating: 0, count: Self.padding(after: run)))
        }
    }
}
