public import Reporting
public import SystemPackage

/// Why the kernel's virtualization cannot be used, or what it refused.
public enum KVMError: UserFacingError, Equatable {
    /// There is no device file.
    case missing(path: FilePath)
    /// The device file is there, but this user may not open it.
    case notPermitted(path: FilePath)
    case unsupportedVersion(Int)
    /// The kernel lacks something that every machine needs; the name is the kernel's own.
    case lacking(String)
    /// A request failed.
    case refused(request: String, Errno)

    public var summary: String {
        switch self {
        case .missing(let path): "this host has no \(path): its kernel offers no virtualization"
        case .notPermitted(let path): "no permission to open \(path)"
        case .unsupportedVersion(let version): "KVM has version \(version) of its interface; wander needs version 12"
        case .lacking(let name): "this host's KVM lacks \(name)"
        case .refused(let request, let errno): "KVM refused to \(request): \(errno)"
        }
    }

    public var remedy: String? {
        switch self {
        case .missing:
            "Turn on virtualization (VT-x or AMD-V) in the firmware and load the module: sudo modprobe kvm_intel (or kvm_amd)."
        case .notPermitted: "Add yourself to the group of the device and log in again: sudo usermod -aG kvm \"$USER\""
        case .unsupportedVersion, .lacking: "Use a newer kernel."
        case .refused: nil
        }
    }

    public var kind: ErrorKind { .hostNotAble }
}

/// Performs a KVM request and names it in the error.
@discardableResult
func requesting<Result>(_ name: String, _ body: () throws(Errno) -> Result) throws(KVMError) -> Result {
    do { return try body() } catch { throw .refused(request: name, error) }
}
