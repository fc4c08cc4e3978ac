/// Shows whether a file's content changed between two looks.
struct ContentStamp: Equatable {
    let size: UInt64
    let modified: HostStatus.Time
    let changed: HostStatus.Time

    init(_ status: HostStatus) {
        size = status.size
        modified = status.modified
        changed = status.changed
    }
}
