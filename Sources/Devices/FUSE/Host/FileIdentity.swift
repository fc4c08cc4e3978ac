/// The identity of a file of the host.
///
/// The time of birth distinguishes a file from a successor with the same inode number. The mount distinguishes a folder
/// from itself in another place, since a guest's kernel must not take the two for one.
struct FileIdentity: Hashable {
    let inode: UInt64
    let device: UInt64
    let mount: UInt64
    /// In nanoseconds; 0 where the file system does not tell, or tells another after the first write.
    let born: Int64
    let kind: FileKind

    init(_ status: HostStatus, usesBirth: Bool) {
        inode = status.inode
        device = status.device
        mount = status.mount
        born = usesBirth ? status.born.seconds &* 1_000_000_000 &+ Int64(status.born.nanoseconds) : 0
        kind = status.kind
    }
}
