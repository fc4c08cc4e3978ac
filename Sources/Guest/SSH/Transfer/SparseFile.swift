import LinuxSystem
import Tar

/// A file of the host on its way into an archive, which may leave out its holes: GNU tar's old sparse format (tar(5),
/// "Old GNU Sparse"), which GNU's tar and bsdtar read.
struct SparseFile {
    /// Less is not worth it, in bytes.
    private static let leastHoles: Int64 = 64 << 10
    /// The most pieces; a file with more is sent whole.
    private static let pieceLimit = 10_000

    private let descriptor: SharedDescriptor
    private let size: Int64
    private let extents: [Range<Int64>]
    /// The place in ``extents``: which one is read, and how far.
    private var index = 0
    private var done: Int64 = 0
    private var padding: Int

    /// All of it.
    init(whole descriptor: consuming OwnedDescriptor, _ status: FileStatus) {
        self.init(SharedDescriptor(descriptor), status.size, status.size > 0 ? [0..<status.size] : [])
    }

    /// nil for a file without holes, of which `descriptor` is kept by the caller.
    init?(_ descriptor: borrowing OwnedDescriptor, _ status: FileStatus) throws(SSHError) {
        // What has its blocks has no holes: most files are not looked at further.
        guard status.size - status.allocated >= Self.leastHoles else { return nil }
        do {
            let extents = try descriptor.dataExtents(size: status.size, limit: Self.pieceLimit)
            guard status.size - extents.reduce(0, { $0 + Int64($1.count) }) >= Self.leastHoles else { return nil }
            self.init(SharedDescriptor(try descriptor.duplicate()), status.size, extents)
        } catch { throw .system(error) }
    }

    private init(_ descriptor: SharedDescriptor, _ size: Int64, _ extents: [Range<Int64>]) {
        self.descriptor = descriptor
        self.size = size
        self.extents = extents
        padding = TarBlock.paddingCount(after: extents.reduce(0) { $0 + Int64($1.count) })
    }

    var isAtEnd: Bool { index == extents.count && padding == 0 }

    /// The next piece, at most `limit` bytes.
    mutating func next(_ limit: Int) throws(SSHError) -> [UInt8] {
        guard index < extents.count else {
            defer { padding = 0 }
            return [UInt8](repeating: 0, count: padding)
        }
        let extent = extents[index]
        let wanted = Int(min(Int64(limit), Int64(extent.count) - done))
        var bytes = try descriptor.read(upTo: wanted, at: extent.lowerBound + done)
        // The header has promised a size: a file that shrank meanwhile is filled up.
        if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: wanted) }
        done += Int64(bytes.count)
        if done == Int64(extent.count) { (index, done) = (index + 1, 0) }
        return bytes
    }

    /// The blocks before the data, which tell where it belongs.
    func header(_ name: [UInt8], _ status: FileStatus, _ owner: (user: UInt32, group: UInt32)) -> [UInt8] {
        // An empty piece at the end says how long the file is.
        var pieces = extents.map { ($0.lowerBound, Int64($0.count)) }
        if (extents.last?.upperBound ?? 0) < size { pieces.append((size, 0)) }
        let total = pieces.reduce(0) { $0 + $1.1 }
        var bytes: [UInt8] = []
        TarHeader.append(name, status, owner, type: "S", size: total, to: &bytes) { block in
            Self.put(&pieces, 4, into: &block, at: 386)
            block.put(pieces.isEmpty ? [0] : [1], in: TarBlock.Field(at: 482, count: 1))
            block.put(size, in: TarBlock.Field(at: 483, count: 12))
        }
        while !pieces.isEmpty {
            var block = TarBlock()
            Self.put(&pieces, 21, into: &block, at: 0)
            block.put(pieces.isEmpty ? [0] : [1], in: TarBlock.Field(at: 504, count: 1))
            bytes += block.bytes
        }
        return bytes
    }

    private static func put(
        _ pieces: inout [(Int64, Int64)], _ count: Int, into block: inout TarBlock, at start: Int
    ) {
        for (number, piece) in pieces.prefix(count).enumerated() {
            block.put(piece.0, in: TarBlock.Field(at: start + number * 24, count: 12))
            block.put(piece.1, in: TarBlock.Field(at: start + number * 24 + 12, count: 12))
        }
        pieces.removeFirst(min(count, pieces.count))
    }
}
