import LinuxSystem
import SystemPackage

/// Lets a descriptor sit in a tuple.
final class DescriptorBox {
    private let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    var rawDescriptor: CInt { descriptor.rawValue }

    func names() throws(SystemError) -> [FilePath] { try descriptor.names() }

    /// nil for a file without holes.
    func sparse(_ status: FileStatus) throws(SSHError) -> SparseFile? { try SparseFile(descriptor, status) }

    func openBeneath(
        _ path: FilePath, _ flags: OwnedDescriptor.OpenFlags
    ) throws(SystemError) -> OwnedDescriptor { try descriptor.openBeneath(path, flags) }

    func read(upTo count: Int) throws(SSHError) -> [UInt8] {
        do { return try descriptor.read(upTo: count) } catch { throw .system(error) }
    }

    func read(upTo count: Int, at offset: Int64) throws(SSHError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(SystemError) {
                initialized = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch { failure = error }
        }
        if let failure { throw .system(failure) }
        return bytes
    }

    /// Writes what comes next in a new file, and leaves holes where whole blocks of it are zero.
    func writeSparsely(_ bytes: ArraySlice<UInt8>, isLast: Bool) throws(SSHError) {
        var rest = bytes
        do {
            while !rest.isEmpty {
                let piece = rest.prefix(64 << 10)
                rest = rest.dropFirst(piece.count)
                if piece.count >= 4096, piece.allSatisfy({ $0 == 0 }) {
                    try descriptor.skip(piece.count)
                } else {
                    try descriptor.writeAll(Array(piece))
                }
            }
            if isLast { try descriptor.endHere() }
        } catch { throw .system(error) }
    }

    func write(_ bytes: [UInt8]) throws(SSHError) {
        do { try descriptor.writeAll(bytes) } catch { throw .system(error) }
    }
}
