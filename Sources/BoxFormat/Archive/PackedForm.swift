internal import CLibArchive
internal import CZlib
internal import CZstd

/// How a file is packed, from its first bytes.
enum PackedForm: Equatable {
    case gzip, zstd, xz, bzip2

    /// The bytes that are looked at.
    static let startSize = 6
    /// What is unpacked to look into it: more than a block of zstd, in bytes.
    static let blockSize = 256 << 10

    /// nil for what is not packed.
    init?(start: some Collection<UInt8>) {
        let start = Array(start.prefix(Self.startSize))
        let marks: [(PackedForm, [UInt8])] = [
            (.gzip, [0x1f, 0x8b]), (.zstd, [0x28, 0xb5, 0x2f, 0xfd]), (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
            (.bzip2, Array("BZh".utf8)),
        ]
        if let known = marks.first(where: { start.starts(with: $0.1) }) {
            self = known.0
        } else if start.count >= 4, start[0] & 0xf0 == 0x50, start[1...3].elementsEqual([0x2a, 0x4d, 0x18]) {
            // Skippable zstd frames (as pzstd writes) come first in some archives.
            self = .zstd
        } else {
            return nil
        }
    }

    /// Has libarchive unpack this form, and no other.
    func support(_ handle: OpaquePointer) -> Int32 {
        switch self {
        case .gzip: unsafe archive_read_support_filter_gzip(handle)
        case .zstd: unsafe archive_read_support_filter_zstd(handle)
        case .xz: unsafe archive_read_support_filter_xz(handle)
        case .bzip2: unsafe archive_read_support_filter_bzip2(handle)
        }
    }

    /// Whether what is packed is packed itself. libarchive unpacks that, too, over and over to see what is in it: what
    /// is a few kilobytes may be hours of work.
    /// - Parameter bytes: The file's beginning. Of xz and bzip2 nothing is said.
    func isPackedAgain(_ bytes: [UInt8]) -> Bool {
        let start: [UInt8]
        switch self {
        case .gzip: start = Self.gunzipped(bytes)
        case .zstd: start = Self.unpackedZstd(bytes)
        case .xz, .bzip2: return false
        }
        return PackedForm(start: start) != nil
    }

    private static func gunzipped(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: startSize)
        var input = bytes
        var stream = unsafe z_stream()
        guard unsafe zlib_inflate_init(&stream, 31) == Z_OK else { return [] }
        defer { unsafe inflateEnd(&stream) }
        let written = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(clamping: input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(clamping: output.count)
                // Members without contents come before others.
                while unsafe stream.avail_out > 0, unsafe inflate(&stream, Z_NO_FLUSH) == Z_STREAM_END,
                    unsafe inflateReset(&stream) == Z_OK
                {}
                return unsafe output.count - Int(stream.avail_out)
            }
        }
        return Array(output.prefix(written))
    }

    private static func unpackedZstd(_ bytes: [UInt8]) -> [UInt8] {
        guard let stream = unsafe ZSTD_createDStream() else { return [] }
        defer { unsafe ZSTD_freeDStream(stream) }
        var output = [UInt8](repeating: 0, count: startSize)
        let written = unsafe bytes.withUnsafeBytes { bytes in
            unsafe output.withUnsafeMutableBytes { room in
                var input = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
                var target = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                while unsafe target.pos < target.size, unsafe input.pos < input.size,
                    unsafe ZSTD_isError(ZSTD_decompressStream(stream, &target, &input)) == 0
                {}
                return unsafe target.pos
            }
        }
        return Array(output.prefix(written))
    }
}
