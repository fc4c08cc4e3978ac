/// A kernel's ELF image without what a loader does not need: no sections, no symbols, and no runs of zeros, which guest
/// memory holds already. Each start reads less, and leaves more guest pages untouched.
struct TrimmedKernel {
    /// Shorter runs of zeros are kept, in bytes: a segment more costs more than the copy.
    private static let shortestGap = 64 << 10
    private static let page = 4096

    /// The new file's start: header, program headers and notes, padded to a page.
    let head: [UInt8]
    /// What follows, as ranges of the old file, each padded to a page in the new one.
    let runs: [Range<Int>]

    /// Zeros behind the end of `run` that bring the next to a page.
    static func padding(after run: Range<Int>) -> Int { (page - run.count % page) % page }

    /// - Parameters:
    ///   - image: What `file` holds.
    ///   - file: The unpacked kernel.
    init(_ image: ELFImage, of file: UnsafeRawBufferPointer) {
        let reader = unsafe ByteReader(file)
        var segments: [ELFImage.Segment] = []
        var runs: [Range<Int>] = []
        for segment in image.segments {
            var found: [ELFImage.Segment] = []
            if let bytes = unsafe reader.slice(at: segment.offset, count: segment.fileCount) {
                for run in unsafe Self.runs(in: bytes) {
                    runs.append(run.lowerBound + Int(segment.offset)..<run.upperBound + Int(segment.offset))
                    found.append(
                        ELFImage.Segment(
                            offset: 0, fileCount: UInt64(run.count),
                            physicalAddress: segment.physicalAddress + UInt64(run.lowerBound),
                            memoryCount: UInt64(run.count)))
                }
            }
            // The last part of a segment carries its end, so that the kernel's extent is as before.
            if found.isEmpty {
                found = [
                    ELFImage.Segment(
                        offset: 0, fileCount: 0, physicalAddress: segment.physicalAddress,
                        memoryCount: segment.memoryCount)
                ]
            } else {
                found[found.count - 1].memoryCount = segment.memoryEnd - found[found.count - 1].physicalAddress
            }
            segments += found
        }
        var notes: [UInt8] = []
        for range in image.notes {
            guard let bytes = unsafe reader.slice(at: range.lowerBound, count: UInt64(range.count))
            else { continue }
            unsafe notes.append(contentsOf: bytes)
        }
        self.runs = runs
        head = Self.makeHead(entry: image.entry, segments: segments, notes: notes)
    }

    private static func makeHead(entry: UInt64, segments: [ELFImage.Segment], notes: [UInt8]) -> [UInt8] {
        let headerCount = 64 + 56 * (segments.count + 1)
        let count = (headerCount + notes.count + page - 1) / page * page
        var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        head.append(little: 2 as UInt16)  // Executable
        head.append(little: 62 as UInt16)  // x86-64
        head.append(little: 1 as UInt32)
        head.append(little: entry)
        head.append(little: 64 as UInt64)  // Program headers
        head.append(little: 0 as UInt64)  // No section headers
        head.append(little: 0 as UInt32)
        for field in [64, 56, segments.count + 1, 64, 0, 0] { head.append(little: UInt16(truncatingIfNeeded: field)) }
        func add(type: UInt32, offset: Int, _ address: UInt64, _ fileCount: UInt64, _ memoryCount: UInt64) {
            head.append(little: type)
            head.append(little: 7 as UInt32)
            for field in [UInt64(offset), address, address, fileCount, memoryCount, UInt64(page)] {
                head.append(little: field)
            }
        }
        add(type: 4, offset: headerCount, 0, UInt64(notes.count), UInt64(notes.count))
        var offset = count
        for segment in segments {
            add(type: 1, offset: offset, segment.physicalAddress, segment.fileCount, segment.memoryCount)
            offset += (Int(segment.fileCount) + page - 1) / page * page
        }
        head += notes
        head += [UInt8](repeating: 0, count: count - head.count)
        return head
    }

    /// The ranges of `bytes` between long runs of zeros, in whole pages.
    private static func runs(in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var position = 0
        while position < bytes.count {
            let end = min(position + page, bytes.count)
            if unsafe !isZero(UnsafeRawBufferPointer(rebasing: bytes[position..<end])) {
                if let last = runs.last, position - last.upperBound < shortestGap {
                    runs[runs.count - 1] = last.lowerBound..<end
                } else {
                    runs.append(position..<end)
                }
            }
            position = end
        }
        return runs
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let words = bytes.count / 8
        for index in 0..<words where unsafe bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) != 0 {
            return false
        }
        return unsafe bytes[(words * 8)...].allSatisfy { $0 == 0 }
    }
}
