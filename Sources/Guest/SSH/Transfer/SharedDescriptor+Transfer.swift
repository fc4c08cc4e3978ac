import LinuxSystem
import SystemPackage

/// A file or folder of the host in a transfer.
extension Shared where Value == OwnedDescriptor {
    func names() throws(SystemError) -> [FilePath] { try value.names() }

    /// nil for a file without holes.
    func sparse(_ status: FileStatus) throws(SSHError) -> SparseFile? { try SparseFile(value, status) }

    func openBeneath(
        _ path: FilePath, _ flags: OwnedDescriptor.OpenFlags
    ) throws(SystemError) -> OwnedDescriptor { try value.openBeneath(path, flags) }

    func read(upTo count: Int) throws(SSHError) -> [UInt8] {
        do { return try value.read(upTo: count) } catch { throw .system(error) }
    }

    func read(upTo count: Int, at offset: Int64) throws(SSHError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(SystemError) {
                initialized = try value.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
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
                    try value.skip(piece.count)
                } else {
                    try value.writeAll(Array(piece))
                }
            }
            if isLast { try value.endHere() }
        } catch { throw .system(error) }
    }

    func write(_ bytes: [UInt8]) throws(SSHError) {
        do { try value.writeAll(bytes) } catch { throw .system(error) }
    }
}
