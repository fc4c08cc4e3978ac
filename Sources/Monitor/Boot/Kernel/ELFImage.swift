/// The parts of a 64-bit x86 ELF executable that a loader needs (System V ABI, chapter 5; its program headers).
struct ELFImage: Equatable {
    enum Problem: Error, Equatable {
        case notELF
        case damaged(String)
    }

    /// A part to load.
    struct Segment: Equatable {
        /// In the file.
        var offset: UInt64
        /// Bytes in the file; the rest of `memoryCount` is zero.
        var fileCount: UInt64
        var physicalAddress: UInt64
        var memoryCount: UInt64
        var memoryEnd: UInt64 { physicalAddress + memoryCount }
    }

    var entry: UInt64
    var segments: [Segment]
    /// Where the notes are, in the file.
    var notes: [Range<UInt64>]

    /// More program headers are refused.
    static let headerLimit = 4096
    /// So much of the notes is looked at, in bytes: a kernel's have some hundreds.
    static let noteLimit: UInt64 = 64 << 10

    /// - Parameters:
    ///   - prefix: The start of the file, with all program headers.
    ///   - fileSize: In bytes.
    init(_ prefix: ByteReader, fileSize: UInt64) throws(Problem) {
        // Magic, 64 bits, little-endian; executable or shared; x86-64.
        guard prefix.load(UInt32.self, at: 0) == 0x464c_457f, prefix.load(UInt16.self, at: 4) == 0x0102,
            prefix.load(UInt16.self, at: 18) == 62, let entry = prefix.load(UInt64.self, at: 24),
            let tableOffset = prefix.load(UInt64.self, at: 32), let stride = prefix.load(UInt16.self, at: 54),
            let count = prefix.load(UInt16.self, at: 56)
        else { throw .notELF }
        guard stride == 56, count > 0, count <= Self.headerLimit, let start = Int(exactly: tableOffset),
            start <= prefix.count - Int(count) * 56
        else { throw .damaged("its program headers are not where they should be") }
        self.entry = entry
        segments = []
        notes = []
        var (loaded, noted) = (0 as UInt64, 0 as UInt64)
        for index in 0..<Int(count) {
            let header = start + index * 56
            guard let type = prefix.load(UInt32.self, at: header),
                let offset = prefix.load(UInt64.self, at: header + 8),
                let address = prefix.load(UInt64.self, at: header + 24),
                let fileCount = prefix.load(UInt64.self, at: header + 32),
                let memoryCount = prefix.load(UInt64.self, at: header + 40)
            else { throw .damaged("a program header is cut off") }
            guard type == 1 || type == 4 else { continue }
            guard offset <= fileSize, fileCount <= fileSize - offset else {
                throw .damaged("a segment is outside the file")
            }
            if type == 4 {
                guard fileCount <= Self.noteLimit - noted else { continue }
                noted += fileCount
                notes.append(offset..<offset + fileCount)
                continue
            }
            // Headers that name the same bytes again and again would make a loader write many times the file.
            guard fileCount <= fileSize - loaded else {
                throw .damaged("its segments are larger together than the file")
            }
            loaded += fileCount
            guard fileCount <= memoryCount, memoryCount <= 1 << 40, address <= 1 << 40 else {
                throw .damaged("a segment is larger in the file than in memory, or beyond all memory")
            }
            if memoryCount > 0 {
                segments.append(
                    Segment(offset: offset, fileCount: fileCount, physicalAddress: address, memoryCount: memoryCount))
            }
        }
        guard !segments.isEmpty else { throw .damaged("it has nothing to load") }
        guard loaded <= memoryEnd - memoryStart else { throw .damaged("its segments overlap in memory") }
    }

    /// Behind the last byte that the kernel occupies.
    var memoryEnd: UInt64 { segments.map(\.memoryEnd).max() ?? 0 }
    var memoryStart: UInt64 { segments.map(\.physicalAddress).min() ?? 0 }

    /// The 32-bit entry that a Xen note of type 18 names (PVH, xen/include/public/elfnote.h); nil if no note does.
    static func directEntry(inNotes notes: ByteReader) -> UInt64? {
        var position: UInt64 = 0
        // Each round advances by at least the 12 bytes of a note's header.
        while let start = Int(exactly: position), let nameCount = notes.load(UInt32.self, at: start),
            let valueCount = notes.load(UInt32.self, at: start + 4), let type = notes.load(UInt32.self, at: start + 8)
        {
            let name = position + 12
            let value = name + (UInt64(nameCount) + 3) & ~3
            if type == 18, nameCount == 4, let text = unsafe notes.slice(at: name, count: 4),
                unsafe Array(text) == [0x58, 0x65, 0x6e, 0]
            {
                guard let offset = Int(exactly: value) else { return nil }
                return valueCount >= 8
                    ? notes.load(UInt64.self, at: offset) : notes.load(UInt32.self, at: offset).map(UInt64.init)
            }
            position = value + (UInt64(valueCount) + 3) & ~3
        }
        return nil
    }
}
