import DiskImage
import Glibc
import TestSupport
import Testing

private struct Layout: Sendable, CustomTestStringConvertible {
    var format: DiskFormat
    var counts: [Int]
    var offset: UInt64
    var testDescription: String { "\(format), \(counts.count) segments at \(offset)" }
}

@Suite struct BlockSegmentTests {
    @Test("is laid out as struct iovec, to which the implementation casts it")
    func layout() {
        #expect(MemoryLayout<BlockSegment>.size == MemoryLayout<iovec>.size)
        #expect(MemoryLayout<BlockSegment>.stride == MemoryLayout<iovec>.stride)
        #expect(MemoryLayout<BlockSegment>.offset(of: \.count) == MemoryLayout<iovec>.offset(of: \.iov_len))
    }

    /// Requests of many pages, of more than one call to the kernel takes, of odd pieces, with empty ones between, and
    /// cut by clusters.
    private static let layouts: [Layout] = [DiskFormat.raw, .qcow2].flatMap { format in
        [
            Layout(format: format, counts: Array(repeating: 4096, count: 320), offset: 0),
            Layout(format: format, counts: Array(repeating: 512, count: 2500), offset: 61440),
            Layout(format: format, counts: (0..<200).map { $0 % 7 == 0 ? 0 : 512 * ($0 % 5) }, offset: 512),
            Layout(format: format, counts: Array(repeating: 3072, count: 65), offset: 1536),
            Layout(format: format, counts: [512] + Array(repeating: 65536, count: 3) + [512], offset: 130_560),
        ]
    }

    @Test("requests arrive whole, however they are cut into segments", arguments: layouts)
    private func manySegments(layout: Layout) throws {
        let folder = try TemporaryFolder()
        try DiskImage.create(at: folder("image"), format: layout.format, virtualSize: 4 << 20)
        let image = try DiskImage.open([DiskLayer(path: folder("image"), format: layout.format)], access: .readWrite)
        let total = layout.counts.reduce(0, +)
        let content = (0..<total).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: total, alignment: 4096)
        defer { memory.deallocate() }
        var segments: [BlockSegment] = []
        var place = memory
        for count in layout.counts {
            segments.append(BlockSegment(base: place, count: count))
            place += count
        }
        memory.copyMemory(from: content, byteCount: total)
        // Twice: into new clusters, then into those that are there.
        for _ in 0..<2 { try segments.withUnsafeBufferPointer { try image.write(from: $0, at: layout.offset) } }
        #expect(try image.read(count: total, at: layout.offset) == content)
        memset(memory, 0, total)
        try segments.withUnsafeBufferPointer { try image.read(into: $0, at: layout.offset) }
        #expect(Array(UnsafeRawBufferPointer(start: memory, count: total)) == content)
        try image.close()
    }
}
