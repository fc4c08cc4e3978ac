import SystemPackage

/// A copy of a request's bytes after the header, read from front to back.
@safe struct Request {
    let header: RequestHeader
    private var rest: UnsafeRawBufferPointer

    init(_ header: RequestHeader, arguments: UnsafeRawBufferPointer) {
        self.header = header
        unsafe rest = arguments
    }

    /// The bytes that are left.
    var remainingByteCount: Int { unsafe rest.count }

    /// - Throws: `EINVAL` if too few bytes are left, as all functions here do.
    mutating func take<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) throws(Errno) -> T {
        let bytes = unsafe try take(MemoryLayout<T>.size)
        return unsafe bytes.loadUnaligned(as: T.self)
    }

    mutating func skip(_ count: Int) throws(Errno) { _ = unsafe try take(count) }

    /// The next `count` bytes, which live as long as the request.
    mutating func take(_ count: Int) throws(Errno) -> UnsafeRawBufferPointer {
        guard count >= 0, unsafe count <= rest.count else { throw .invalidArgument }
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: rest[..<count])
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return unsafe bytes
    }

    /// The bytes up to a NUL, which is taken too.
    private mutating func text() throws(Errno) -> UnsafeRawBufferPointer {
        guard let end = unsafe rest.firstIndex(of: 0) else { throw .invalidArgument }
        let bytes = unsafe try take(end)
        try skip(1)
        return unsafe bytes
    }

    /// One name in a folder.
    mutating func name() throws(Errno) -> FileName { unsafe try FileName(unsafe text()) }

    /// What a symbolic link says: at most `PATH_MAX` bytes with their NUL.
    mutating func linkTarget() throws(Errno) -> [UInt8] {
        let bytes = unsafe try text()
        guard unsafe !bytes.isEmpty else { throw .noSuchFileOrDirectory }
        guard bytes.count < 4096 else { throw .fileNameTooLong }
        return unsafe Array(bytes) + [0]
    }

    /// The name of an extended attribute, with its NUL: at most 255 bytes.
    mutating func attributeName() throws(Errno) -> [UInt8] {
        let bytes = unsafe try text()
        guard unsafe !bytes.isEmpty, bytes.count <= 255 else { throw .outOfRange }
        return unsafe Array(bytes) + [0]
    }
}
