import LinuxSystem

/// Sees every change of an image's file before it happens, and may refuse it. For tests of crashes and failing disks.
protocol ImageFileObserver: Sendable {
    func willPerform(_ change: ImageFileChange) throws(SystemError)
}

enum ImageFileChange: Equatable, Sendable {
    case write(offset: UInt64, bytes: [UInt8])
    case truncate(size: UInt64)
    case zero(offset: UInt64, count: UInt64)
    case synchronize
}
