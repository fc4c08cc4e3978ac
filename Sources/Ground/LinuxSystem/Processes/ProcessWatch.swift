import CLinux
import SystemPackage

/// Tells when a process ends that need not be a child (pidfd_open(2)).
public final class ProcessWatch: Sendable {
    private let descriptor: OwnedDescriptor

    /// nil if there is no such process any more.
    public init?(_ process: Int32) {
        guard process > 1 else { return nil }
        let raw = linux_pidfd_open(process)
        guard raw >= 0 else { return nil }
        descriptor = OwnedDescriptor(owning: CInt(raw))
    }

    /// Readable when the process has ended.
    public var rawDescriptor: CInt { descriptor.rawValue }

    /// - Returns: Whether the process ended before the time was over and before `cancellation` was requested.
    public func wait(milliseconds: Int64, cancellation: Cancellation? = nil) throws(SystemError) -> Bool {
        try waitUntilReady(
            rawDescriptor, for: .readable, milliseconds: Int32(clamping: milliseconds), cancellation: cancellation)
    }
}
