import DiskImage
import Glibc
import Testing

@Suite struct BlockSegmentTests {
    @Test("is laid out as struct iovec, to which the implementation casts it")
    func layout() {
        #expect(MemoryLayout<BlockSegment>.size == MemoryLayout<iovec>.size)
        #expect(MemoryLayout<BlockSegment>.stride == MemoryLayout<iovec>.stride)
        #expect(MemoryLayout<BlockSegment>.offset(of: \.count) == MemoryLayout<iovec>.offset(of: \.iov_len))
    }
}
