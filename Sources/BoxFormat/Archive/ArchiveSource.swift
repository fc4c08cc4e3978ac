internal import CLibArchive
internal import Digest
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// The bytes of an archive on their way to libarchive: hashed, counted, reported and stopped here.
@safe final class ArchiveSource {
    private static let bufferSize = 256 << 10

    private let file: OwnedDescriptor
    /// The size of the whole archive, in bytes.
    let size: UInt64
    private(set) var position: UInt64 = 0
    /// Why reading ended early. libarchive's callbacks cannot throw.
    private(set) var failure: (any Error)?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 4096)
    private let checksums: [BackgroundChecksum]
    private let label: String
    private let sink: any EventSink
    private let cancellation: Cancellation?

    init(
        _ file: consuming OwnedDescriptor, checksums: [BackgroundChecksum], label: String, sink: any EventSink,
        cancellation: Cancellation?
    ) throws(SystemError) {
        size = UInt64(clamping: try file.status().size)
        self.file = file
        self.checksums = checksums
        self.label = label
        self.sink = sink
        self.cancellation = cancellation
    }

    deinit { unsafe buffer.deallocate() }

    /// The next bytes; empty at the end. Valid until the next call.
    func next() throws -> UnsafeRawBufferPointer {
        try cancellation?.check()
        let count = try unsafe file.read(into: buffer)
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
        for checksum in checksums { unsafe checksum.update(bytes) }
        position += UInt64(count)
        sink.report(.progress(Progress(label, completed: min(position, size), total: size)))
        return unsafe bytes
    }

    /// Reads what follows the archive's end marker, so that the checksum covers the whole file.
    func drain() throws {
        while true {
            if try unsafe next().isEmpty { return }
        }
    }

    static let readCallback:
        @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int = {
            _, context, result in
            guard let context = unsafe context, let result = unsafe result else { return -1 }
            let source = unsafe Unmanaged<ArchiveSource>.fromOpaque(context).takeUnretainedValue()
            do {
                let bytes = try unsafe source.next()
                unsafe result.pointee = bytes.baseAddress
                return bytes.count
            } catch {
                source.failure = error
                return -1
            }
        }
}
