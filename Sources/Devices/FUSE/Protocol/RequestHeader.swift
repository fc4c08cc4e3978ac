/// The start of every request (linux/fuse.h, `struct fuse_in_header`).
struct RequestHeader {
    static let byteCount = 40

    /// The length of the whole request, in bytes.
    let length: UInt32
    let opcode: UInt32
    /// Names the request in its reply.
    let unique: UInt64
    let node: UInt64
    /// Who made the system call in the guest.
    let user: UInt32

    /// nil if there are too few bytes for a header.
    init?<E: FUSEExchange & ~Copyable>(_ exchange: inout E) {
        var words: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        let count = unsafe withUnsafeMutableBytes(of: &words) { buffer in
            unsafe exchange.copyRequest(at: 0, into: buffer)
        }
        guard count == Self.byteCount else { return nil }
        length = UInt32(truncatingIfNeeded: words.0)
        opcode = UInt32(truncatingIfNeeded: words.0 >> 32)
        unique = words.1
        node = words.2
        user = UInt32(truncatingIfNeeded: words.3)
    }
}
