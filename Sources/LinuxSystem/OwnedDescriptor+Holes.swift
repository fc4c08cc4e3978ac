import Glibc

extension OwnedDescriptor {
    /// Moves on in a new file without writing: what is passed over reads as zero and takes no room.
    public func skip(_ count: Int) throws(SystemError) {
        _ = try checked(negativeErrno(Int(lseek(rawValue, off_t(count), SEEK_CUR))), "move on in a file")
    }

    /// Makes the file as long as what has been written and passed over.
    public func endHere() throws(SystemError) {
        try truncate(to: Int64(try checked(negativeErrno(Int(lseek(rawValue, 0, SEEK_CUR))), "ask for a file's place")))
    }
}
