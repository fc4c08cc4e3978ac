/// Bytes in the order in which they were put in. Its memory grows and shrinks with its content and is freed when it is
/// empty, so an idle connection costs nothing.
@safe struct ByteQueue: ~Copyable {
    private var storage: UnsafeMutableRawBufferPointer
    private var head = 0
    private(set) var count = 0

    init() { unsafe storage = UnsafeMutableRawBufferPointer(start: nil, count: 0) }
    deinit { unsafe storage.deallocate() }

    var isEmpty: Bool { count == 0 }

    /// Valid until the next change of the queue.
    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: unsafe storage[head..<head + count])
    }

    mutating func append(_ new: UnsafeRawBufferPointer) {
        guard unsafe !new.isEmpty else { return }
        let room = unsafe reserve(new.count)
        unsafe room.copyMemory(from: new)
        count += new.count
    }

    mutating func append(_ new: RawSpan) { unsafe new.withUnsafeBytes { unsafe append($0) } }

    /// Lets `fill` write up to `limit` bytes behind the last one; it returns how many it wrote.
    mutating func append(upTo limit: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let room = unsafe reserve(limit)
        let added = unsafe max(0, min(limit, fill(UnsafeMutableRawBufferPointer(rebasing: room[..<limit]))))
        count += added
        if count == 0 { removeFirst(0) }
        return added
    }

    mutating func removeFirst(_ removed: Int) {
        let removed = min(removed, count)
        count -= removed
        head = count == 0 ? 0 : head + removed
        if count == 0, unsafe storage.count > Self.kept {
            unsafe storage.deallocate()
            unsafe storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }

    mutating func removeAll() { removeFirst(count) }

    /// An empty queue keeps no more than this.
    private static let kept = 4096

    /// Room for `more` bytes behind the last one.
    private mutating func reserve(_ more: Int) -> UnsafeMutableRawBufferPointer {
        if unsafe head + count + more > storage.count {
            if unsafe count + more <= storage.count, head >= count {
                // The gap in front is large enough that moving costs no more than the bytes that went through it.
                let moved = unsafe UnsafeRawBufferPointer(rebasing: storage[head..<head + count])
                unsafe storage.copyMemory(from: moved)
            } else {
                var capacity = 2048
                while capacity < count + more { capacity *= 2 }
                let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
                unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[head..<head + count]))
                unsafe storage.deallocate()
                unsafe storage = larger
            }
            head = 0
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: storage[(head + count)...])
    }
}
