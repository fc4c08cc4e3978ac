internal import Boot
internal import GuestMemory
internal import LinuxSystem
internal import SystemPackage

extension GuestMemory {
    /// Puts everything at its place.
    func apply(_ plan: BootPlan) throws { for write in plan.writes { try apply(write) } }

    func apply(_ write: BootWrite) throws {
        switch write.content {
        case .bytes(let bytes): try store(bytes: bytes, at: write.address)
        case .file(let file, let offset, let count): try read(file, offset, count, to: write.address)
        }
    }

    /// By read(2), never through a mapping: the file may lie where a guest writes, and a mapped file that is cut short
    /// ends the process that touches it (`SIGBUS`).
    private func read(_ file: BootFile, _ offset: UInt64, _ count: UInt64, to address: UInt64) throws {
        guard let size = Int(exactly: count), let position = Int64(exactly: offset) else {
            throw GuestMemoryError.outOfRange(address: address, count: .max)
        }
        let target = try unsafe hostBytes(at: address, count: size)
        let done = try unsafe file.descriptor.readWhole(
            into: UnsafeMutableRawBufferPointer(start: target, count: size), at: position)
        // The file was longer a moment ago.
        guard done == size else { throw SystemError("read a part of the guest's memory", nil, .ioError) }
    }
}
