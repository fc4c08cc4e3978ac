import Synchronization

/// The inode numbers that the guest sees: the host's own, made unique where other file systems are mounted in the
/// folder. (Programs such as `tar`, `cp` and `rsync` take two files with one number on one device for the same file.)
final class InodeNumbers: Sendable {
    let home: UInt64
    private let others = Mutex<[UInt64: UInt64]>([:])
    private static let shift = UInt64(48)
    private static let deviceLimit = 1 << 15

    /// - Parameter home: The device of the folder itself, whose numbers stay.
    init(home: UInt64) { self.home = home }

    func number(of inode: UInt64, on device: UInt64) -> UInt64 {
        if device == home { return inode }
        let index = others.withLock { others in
            if let index = others[device] { return index }
            let index = UInt64(min(others.count + 1, Self.deviceLimit))
            if others.count < Self.deviceLimit { others[device] = index }
            return index
        }
        // Numbers that need the upper bits themselves are mixed, so that at least neighbours differ.
        return inode >> Self.shift == 0
            ? inode | index << Self.shift : (inode ^ index &* 0x9e37_79b9_7f4a_7c15) | 1 << 63
    }
}
