import DiskImage
import Synchronization

/// A disk in an array, which counts what was asked of it.
final class MemoryStorage: BlockStorage {
    struct Log: Equatable {
        var flushes = 0
        var discards: [Range<UInt64>] = []
        var zeroes: [Range<UInt64>] = []
    }
    private let content: Mutex<[UInt8]>
    private let counters = Mutex(Log())
    let isReadOnly: Bool
    let preferredAlignment = 65536
    let failing: Bool

    init(_ bytes: [UInt8], readOnly: Bool = false, failing: Bool = false) {
        content = Mutex(bytes)
        isReadOnly = readOnly
        self.failing = failing
    }

    var bytes: [UInt8] { content.withLock { $0 } }
    var log: Log { counters.withLock { $0 } }
    var virtualSize: UInt64 { UInt64(content.withLock { $0.count }) }

    private func check(_ offset: UInt64, _ count: UInt64) throws(DiskImageError) {
        let size = virtualSize
        guard !failing, offset <= size, count <= size - offset else {
            throw .outOfRange(offset: offset, count: count, size: size)
        }
    }

    func read(into segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        try check(offset, UInt64(segments.reduce(0) { $0 + $1.count }))
        content.withLock { content in
            var position = Int(offset)
            for segment in segments {
                content[position..<position + segment.count].withUnsafeBytes {
                    if let base = $0.baseAddress { segment.base.copyMemory(from: base, byteCount: $0.count) }
                }
                position += segment.count
            }
        }
    }

    func write(from segments: BlockSegments, at offset: UInt64) throws(DiskImageError) {
        try check(offset, UInt64(segments.reduce(0) { $0 + $1.count }))
        content.withLock { content in
            var position = Int(offset)
            for segment in segments {
                let bytes = UnsafeRawBufferPointer(start: segment.base, count: segment.count)
                content.replaceSubrange(position..<position + segment.count, with: bytes)
                position += segment.count
            }
        }
    }

    func flush() throws(DiskImageError) {
        try check(0, 0)
        counters.withLock { $0.flushes += 1 }
    }
    func discard(at offset: UInt64, count: UInt64) throws(DiskImageError) {
        try check(offset, count)
        counters.withLock { $0.discards.append(offset..<offset + count) }
    }
    func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {
        try check(offset, count)
        counters.withLock { $0.zeroes.append(offset..<offset + count) }
        content.withLock { content in
            for index in Int(offset)..<Int(offset + count) { content[index] = 0 }
        }
    }
    func extent(at offset: UInt64) throws(DiskImageError) -> BlockExtent {
        try check(offset, 1)
        return BlockExtent(offset: offset, count: virtualSize - offset, kind: .data)
    }
    func resize(to size: UInt64) throws(DiskImageError) {
        content.withLock { $0 += Array(repeating: 0, count: Int(size) - $0.count) }
    }
    func close() throws(DiskImageError) {}
}
