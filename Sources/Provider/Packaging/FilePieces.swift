import Digest
import LinuxSystem
import SystemPackage

extension SHA256Digest {
    /// A file's digest.
    /// - Parameter progress: Gets the bytes read so far, and the file's size.
    init(
        ofFile path: FilePath, cancellation: Cancellation, progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws {
        let file = try OwnedDescriptor.open(path, .readOnly)
        let size = UInt64(clamping: try file.status().size)
        var done: UInt64 = 0
        var checksum = Checksum(.sha256)
        while true {
            try cancellation.check()
            let bytes = try file.read(upTo: 1 << 20)
            if bytes.isEmpty { break }
            checksum.update(bytes)
            done += UInt64(bytes.count)
            progress(done, size)
        }
        self.init(result: checksum.finish())
    }
}

/// A part of a file.
struct FilePiece {
    var path: FilePath
    /// In bytes.
    var start: Int64
    var count: UInt64

    /// Copies the piece into a new file, and writes it down.
    func copy(to target: FilePath, cancellation: Cancellation) throws {
        let input = try OwnedDescriptor.open(path, .readOnly)
        let output = try OwnedDescriptor.open(target, [.writeOnly, .create, .truncate], permissions: 0o600)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var done: UInt64 = 0
        while done < count {
            try cancellation.check()
            let wanted = Int(min(UInt64(buffer.count), count - done))
            let read = try buffer.withUnsafeMutableBytes { bytes in
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]), at: start + Int64(done))
            }
            guard read > 0 else { throw SystemError("read", path, .ioError) }
            try output.writeAll(Array(buffer[..<read]))
            done += UInt64(read)
        }
        try output.synchronize()
    }
}
