public import Glibc

/// An exchange whose request and reply are in lists of buffers.
@safe public struct SegmentedExchange: FUSEExchange, ~Copyable {
    private let request: UnsafeBufferPointer<iovec>
    private let reply: UnsafeBufferPointer<iovec>
    public let requestByteCount: Int
    public let replyCapacity: Int

    /// The most buffers that readv(2) and its like take (`IOV_MAX`).
    private static let vectorLimit = 1024

    /// - Parameters:
    ///   - request: What the server reads. Both lists and their buffers must stay valid while the exchange lives.
    ///   - reply: What the server may write.
    public init(request: UnsafeBufferPointer<iovec>, reply: UnsafeBufferPointer<iovec>) {
        unsafe self.request = request
        unsafe self.reply = reply
        requestByteCount = unsafe Self.byteCount(request)
        replyCapacity = unsafe Self.byteCount(reply)
    }

    private static func byteCount(_ segments: UnsafeBufferPointer<iovec>) -> Int {
        var count = 0
        for index in segments.indices {
            let (sum, isTooMuch) = unsafe count.addingReportingOverflow(Int(clamping: segments[index].iov_len))
            count = isTooMuch ? .max : sum
        }
        return count
    }

    public mutating func copyRequest(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let target = buffer.baseAddress else { return 0 }
        return unsafe Self.forEachPiece(of: request, from: offset, count: buffer.count) { piece, done in
            unsafe (target + done).copyMemory(from: piece.iov_base, byteCount: piece.iov_len)
            return true
        }
    }

    public mutating func copyReply(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard let source = bytes.baseAddress else { return }
        _ = unsafe Self.forEachPiece(of: reply, from: offset, count: bytes.count) { piece, done in
            unsafe piece.iov_base.copyMemory(from: source + done, byteCount: piece.iov_len)
            return true
        }
    }

    public mutating func withRequestVectors(
        _ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int
    ) -> Int {
        unsafe Self.withVectors(of: request, range, body)
    }

    public mutating func withReplyVectors(_ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int) -> Int {
        unsafe Self.withVectors(of: reply, range, body)
    }

    private static func withVectors(
        of segments: UnsafeBufferPointer<iovec>, _ range: Range<Int>, _ body: (UnsafeBufferPointer<iovec>) -> Int
    ) -> Int {
        let limit = min(segments.count, vectorLimit)
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: max(limit, 1)) { vectors in
            var used = 0
            _ = unsafe forEachPiece(of: segments, from: range.lowerBound, count: range.count) { piece, _ in
                guard used < limit else { return false }
                unsafe vectors.initializeElement(at: used, to: piece)
                used += 1
                return true
            }
            return unsafe body(UnsafeBufferPointer(rebasing: vectors[..<used]))
        }
    }

    /// Calls `body` with each part of a buffer that `count` bytes from `offset` on lie in, and how many came before it.
    /// - Parameter body: Returns whether to go on.
    /// - Returns: The bytes that there were.
    private static func forEachPiece(
        of segments: UnsafeBufferPointer<iovec>, from offset: Int, count: Int, _ body: (iovec, Int) -> Bool
    ) -> Int {
        var skipped = max(offset, 0)
        var done = 0
        for index in segments.indices {
            guard done < count else { break }
            let length = unsafe Int(clamping: segments[index].iov_len)
            guard skipped < length, let base = unsafe segments[index].iov_base else {
                skipped -= min(skipped, length)
                continue
            }
            let piece = min(length - skipped, count - done)
            guard unsafe body(iovec(iov_base: base + skipped, iov_len: piece), done) else { break }
            done += piece
            skipped = 0
        }
        return done
    }
}
