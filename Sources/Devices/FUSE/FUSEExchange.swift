public import Glibc

/// One request and the room for its reply, where the transport has them: usually in a guest's memory.
///
/// The bytes of the request may change at any time, so the server copies what it checks, once, and lets the kernel move
/// file data directly between a file and these buffers. All offsets and counts are in bytes.
public protocol FUSEExchange: ~Copyable {
    /// The bytes of the request, header and all.
    var requestByteCount: Int { get }
    /// The most that a reply may have, header and all.
    var replyCapacity: Int { get }

    /// Copies bytes of the request, from `offset` on.
    /// - Returns: How many: less than `buffer` holds if the request ends before.
    mutating func copyRequest(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int

    /// Copies bytes into the reply, at `offset`; those that do not fit are lost.
    mutating func copyReply(_ bytes: UnsafeRawBufferPointer, at offset: Int)

    /// Calls `body` with where the bytes of `range` lie in the request, or the first of them if they lie in very many
    /// places.
    mutating func withRequestVectors(_ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int) -> Int

    /// As ``withRequestVectors(_:_:)``, of the reply.
    mutating func withReplyVectors(_ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int) -> Int
}
