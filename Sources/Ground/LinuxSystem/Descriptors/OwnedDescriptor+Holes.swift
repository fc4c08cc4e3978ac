import Glibc

extension OwnedDescriptor {
    /// Moves on in a new file without writing: what is passed over reads as zero and takes no room.
    public func skip(_ count: Int) throws(SystemError) {
        _ = try checked(negativeErrno(Int(lseek(rawValue, off_t(count), SEEK_CUR))), "move on in a file")
    }

    /// Where the file has data, in bytes and in order (lseek(2), SEEK_DATA and SEEK_HOLE): what lies between is holes,
    /// which read as zero. The file's place stays what it is.
    /// - Parameters:
    ///   - size: Of the file.
    ///   - limit: A file with more pieces counts as one piece without holes.
    public func dataExtents(size: Int64, limit: Int) throws(SystemError) -> [Range<Int64>] {
        // Linux's numbers; glibc has them only under _GNU_SOURCE.
        let (data, hole): (CInt, CInt) = (3, 4)
        let place = lseek(rawValue, 0, SEEK_CUR)
        defer { _ = lseek(rawValue, place, SEEK_SET) }
        var extents: [Range<Int64>] = []
        var position: Int64 = 0
        while position < size {
            let start = lseek(rawValue, off_t(position), data)
            // Nothing but a hole is left.
            if start < 0, Glibc.errno == ENXIO { break }
            let begin = Int64(try checked(negativeErrno(Int(start)), "look for data in a file"))
            let end = Int64(try checked(negativeErrno(Int(lseek(rawValue, off_t(begin), hole))), "look for a hole"))
            guard begin < size, end > begin else { break }
            guard extents.count < limit else { return [0..<size] }
            extents.append(begin..<min(end, size))
            position = end
        }
        return extents
    }

    /// Makes the file as long as what has been written and passed over.
    public func endHere() throws(SystemError) {
        try truncate(to: Int64(try checked(negativeErrno(Int(lseek(rawValue, 0, SEEK_CUR))), "ask for a file's place")))
    }
}
