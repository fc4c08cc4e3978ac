public import DiskImage

/// One request of a driver: buffers for the device to read, then buffers for it to write, all inside guest RAM.
///
/// How a driver divides a request into buffers means nothing (Virtio 1.2, section 2.7.4): this type consumes bytes. The
/// guest may change them at any time, so a header is copied once and checked in the copy. Valid until the queue's next
/// chain is taken.
@safe public struct DescriptorChain: ~Copyable {
    let head: UInt16
    /// The queue's own list, changed in place as bytes are consumed.
    private let segments: UnsafeMutablePointer<BlockSegment>
    private var firstReadable = 0
    private var firstWritable = 0
    var readableCount = 0
    var writableCount = 0
    /// Bytes that are left to read, and to write.
    public internal(set) var readableByteCount = 0
    public internal(set) var writableByteCount = 0
    /// Bytes written so far by ``write(_:)``.
    public private(set) var writtenByteCount = 0

    init(head: UInt16, segments: UnsafeMutablePointer<BlockSegment>) {
        self.head = head
        unsafe self.segments = segments
    }

    /// The buffers that are left to read. Another use of the chain changes them.
    public var readableSegments: BlockSegments {
        unsafe BlockSegments(start: segments + firstReadable, count: readableCount - firstReadable)
    }

    /// The buffers that are left to write. Another use of the chain changes them.
    public var writableSegments: BlockSegments {
        unsafe BlockSegments(start: segments + readableCount + firstWritable, count: writableCount - firstWritable)
    }

    /// Copies bytes out of the readable buffers and consumes them.
    /// - Returns: How many: less than `buffer` holds if the chain ends before.
    @discardableResult
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let target = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count, firstReadable < readableCount {
            let index = firstReadable
            let count = unsafe min(segments[index].count, buffer.count - done)
            unsafe (target + done).copyMemory(from: segments[index].base, byteCount: count)
            unsafe segments[index].base += count
            unsafe segments[index].count -= count
            if unsafe segments[index].count == 0 { firstReadable += 1 }
            done += count
        }
        readableByteCount -= done
        return done
    }

    /// The first of the readable buffers that is not empty; nil if all bytes are consumed.
    var firstReadableSegment: UnsafeRawBufferPointer? {
        mutating get {
            while firstReadable < readableCount {
                let segment = unsafe segments[firstReadable]
                if segment.count > 0 { return unsafe UnsafeRawBufferPointer(start: segment.base, count: segment.count) }
                firstReadable += 1
            }
            return nil
        }
    }

    /// The first of the writable buffers that is not empty.
    var firstWritableSegment: UnsafeMutableRawBufferPointer? {
        mutating get {
            while firstWritable < writableCount {
                let segment = unsafe segments[readableCount + firstWritable]
                if segment.count > 0 {
                    return unsafe UnsafeMutableRawBufferPointer(start: segment.base, count: segment.count)
                }
                firstWritable += 1
            }
            return nil
        }
    }

    /// Consumes bytes of ``firstReadableSegment``, at most as many as it has.
    mutating func consumeReadable(_ count: Int) {
        guard firstReadable < readableCount else { return }
        let consumed = unsafe min(max(count, 0), segments[firstReadable].count)
        unsafe segments[firstReadable].base += consumed
        unsafe segments[firstReadable].count -= consumed
        readableByteCount -= consumed
    }

    /// Copies a header out of the readable buffers and consumes it; nil if there are not enough bytes.
    public mutating func readValue<T: BitwiseCopyable>(_ initial: T) -> T? {
        guard readableByteCount >= MemoryLayout<T>.size else { return nil }
        var value = initial
        unsafe withUnsafeMutableBytes(of: &value) { buffer in _ = unsafe read(into: buffer) }
        return value
    }

    /// Copies bytes into the writable buffers and consumes those.
    /// - Returns: How many: less than `buffer` holds if the chain ends before.
    @discardableResult
    public mutating func write(_ buffer: UnsafeRawBufferPointer) -> Int {
        guard let source = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count, firstWritable < writableCount {
            let index = readableCount + firstWritable
            let count = unsafe min(segments[index].count, buffer.count - done)
            unsafe segments[index].base.copyMemory(from: source + done, byteCount: count)
            unsafe segments[index].base += count
            unsafe segments[index].count -= count
            if unsafe segments[index].count == 0 { firstWritable += 1 }
            done += count
        }
        writableByteCount -= done
        writtenByteCount += done
        return done
    }

    /// Takes away the first writable byte that is left: a place to fill in later.
    mutating func takeFirstWritableByte() -> UnsafeMutableRawPointer? {
        while firstWritable < writableCount {
            let index = readableCount + firstWritable
            if unsafe segments[index].count > 0 {
                let place = unsafe segments[index].base
                unsafe segments[index].base += 1
                unsafe segments[index].count -= 1
                writableByteCount -= 1
                writtenByteCount += 1
                return unsafe place
            }
            firstWritable += 1
        }
        return nil
    }

    /// Takes away the last writable byte, where some devices put a request's outcome.
    public mutating func takeLastWritableByte() -> UnsafeMutableRawPointer? {
        while writableCount > firstWritable {
            let index = readableCount + writableCount - 1
            if unsafe segments[index].count > 0 {
                unsafe segments[index].count -= 1
                writableByteCount -= 1
                return unsafe segments[index].base + segments[index].count
            }
            writableCount -= 1
        }
        return nil
    }
}
