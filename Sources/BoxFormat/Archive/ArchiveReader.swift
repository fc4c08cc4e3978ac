internal import CLibArchive
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// Reads the entries of a tar archive, or one file, plain or packed with gzip, zstd, xz or bzip2, in order. Owns its
/// libarchive handle and, like it, is not thread-safe.
@safe struct ArchiveReader: ~Copyable {
    /// An entry's header, not yet judged.
    struct Entry {
        enum Kind { case file, directory, link, other }
        var name: [UInt8]
        var kind: Kind
        /// In bytes; nil if the archive does not say.
        var size: Int64?
        var permissions: UInt32
    }

    enum Contents {
        case tar
        /// Anything, as one entry.
        case stream
    }

    private let handle: OpaquePointer
    private let source: ArchiveSource
    private let path: FilePath

    static func open(
        _ source: ArchiveSource, path: FilePath, contents: Contents = .tar
    ) throws -> ArchiveReader {
        guard let handle = unsafe archive_read_new() else { throw BoxError.outOfMemory }
        let reader = unsafe ArchiveReader(handle: handle, source: source, path: path)
        // Named one by one: "all" would bring in formats that no box has, and their libraries.
        switch contents {
        case .tar: try reader.check(unsafe archive_read_support_format_tar(handle))
        case .stream: try reader.check(unsafe archive_read_support_format_raw(handle))
        }
        let start = try OwnedDescriptor.open(path, .readOnly).read(upTo: PackedForm.blockSize)
        if let form = PackedForm(start: start) {
            guard !form.isPackedAgain(start) else {
                throw BoxError.unreadable(path, reason: "what is packed in it is packed once more")
            }
            try reader.check(unsafe form.support(handle))
        }
        try reader.check(
            unsafe archive_read_open(
                handle, Unmanaged.passUnretained(source).toOpaque(), nil, ArchiveSource.readCallback, nil))
        return reader
    }

    private init(handle: OpaquePointer, source: ArchiveSource, path: FilePath) {
        unsafe self.handle = handle
        self.source = source
        self.path = path
    }

    deinit { unsafe archive_read_free(handle) }

    /// Bytes that came out of the decompressor so far.
    var decompressedBytes: UInt64 { UInt64(clamping: unsafe archive_filter_bytes(handle, 0)) }

    /// The next entry; nil at the end.
    func nextEntry() throws -> Entry? {
        var header: OpaquePointer?
        let status = unsafe archive_read_next_header(handle, &header)
        if status == ARCHIVE_EOF { return nil }
        // A warning is about what wander does not use (owners, times) or judges itself (names).
        if status != ARCHIVE_WARN { try check(status) }
        guard let header = unsafe header else { throw BoxError.unreadable(path, reason: "an entry without a header") }
        let isLink = unsafe archive_entry_hardlink(header) != nil
        let kind: Entry.Kind =
            switch unsafe UInt32(archive_entry_filetype(header)) {
            case 0o100000 where !isLink: .file
            case 0o040000: .directory
            case 0o120000: .link
            default: isLink ? .link : .other
            }
        return unsafe Entry(
            name: Self.name(unsafe header), kind: kind,
            size: unsafe archive_entry_size_is_set(header) != 0 ? unsafe Int64(archive_entry_size(header)) : nil,
            permissions: unsafe UInt32(archive_entry_perm(header)))
    }

    private static func name(_ header: OpaquePointer) -> [UInt8] {
        // The UTF-8 form exists where a pax header gave one; the plain form is the archive's bytes.
        for isUTF8 in [false, true] {
            let found = isUTF8 ? unsafe archive_entry_pathname_utf8(header) : unsafe archive_entry_pathname(header)
            guard let text = unsafe found else { continue }
            var bytes: [UInt8] = []
            var position = unsafe text
            while unsafe position.pointee != 0 {
                unsafe bytes.append(UInt8(bitPattern: position.pointee))
                unsafe position += 1
            }
            return bytes
        }
        return [0xff]  // Not convertible to anything: refused as not UTF-8.
    }

    /// Passes the entry's data to `body` piece by piece, with each piece's offset in the file. Gaps are holes.
    func readData(_ body: (UnsafeRawBufferPointer, Int64) throws -> Void) throws {
        while true {
            var start: UnsafeRawPointer?
            var count = 0
            var offset: Int64 = 0
            let status = unsafe archive_read_data_block(handle, &start, &count, &offset)
            if status == ARCHIVE_EOF { return }
            try check(status)
            try unsafe body(UnsafeRawBufferPointer(start: start, count: count), offset)
        }
    }

    /// Throws what the source met (an I/O error, an interruption) or libarchive's own message, which the handle keeps
    /// only until the next call.
    private func check(_ status: CInt) throws {
        guard status != ARCHIVE_OK else { return }
        if let failure = source.failure { throw failure }
        let reason = unsafe archive_error_string(handle).map { unsafe String(cString: $0) }
        throw BoxError.unreadable(path, reason: (reason ?? "libarchive status \(status)").utf8.shown)
    }
}
