internal import Boot
internal import GuestMemory
internal import LinuxSystem
internal import SystemPackage

extension GuestMemory {
    /// Puts everything at its place.
    func apply(_ plan: BootPlan) throws {
        for write in plan.writes {
            switch write.content {
            case .bytes(let bytes): try store(bytes: bytes, at: write.address)
            case .file(let file, let offset, let count): try read(file, offset, count, to: write.address)
            }
        }
    }

    /// Shorter parts are read: a mapping costs more.
    private static let shortestMapping = 64 << 10

    /// Copies a part of a file that can be mapped: the kernel then looks up sixteen pages at once, where read(2) looks up each.
    /// - Returns: False if it cannot be mapped.
    private func copy(
        _ file: BootFile, _ position: Int64, _ size: Int, to target: UnsafeMutableRawPointer
    ) throws -> Bool {
        let lead = Int(position % Int64(Self.pageSize))
        guard size >= Self.shortestMapping,
            let mapping = try? MemoryMapping.shared(
                file.descriptor, count: size + lead, offset: position - Int64(lead), writable: false),
            let source = unsafe mapping.bytes.baseAddress
        else { return false }
        // Behind the end of the file there is nothing to map.
        guard try file.descriptor.status().size - Int64(size) >= position else {
            throw SystemError("read a part of the guest's memory", nil, .ioError)
        }
        unsafe target.copyMemory(from: source + lead, byteCount: size)
        return true
    }

    private func read(_ file: BootFile, _ offset: UInt64, _ count: UInt64, to address: UInt64) throws {
        guard let size = Int(exactly: count), var position = Int64(exactly: offset) else {
            throw GuestMemoryError.outOfRange(address: address, count: .max)
        }
        let target = try unsafe hostBytes(at: address, count: size)
        if try unsafe copy(file, position, size, to: target) { return }
        var rest = unsafe UnsafeMutableRawBufferPointer(start: target, count: size)
        while unsafe !rest.isEmpty {
            let done = try unsafe file.descriptor.read(into: rest, at: position)
            // The file was longer a moment ago.
            guard done > 0 else { throw SystemError("read a part of the guest's memory", nil, .ioError) }
            position += Int64(done)
            unsafe rest = UnsafeMutableRawBufferPointer(rebasing: rest[done...])
        }
    }
}
