internal import LinuxSystem
public import SystemPackage

/// Firmware as a file: what a personal computer has in a memory chip below 4 GiB. The processor starts in its last 16
/// bytes.
public struct FirmwareImage: Sendable {
    /// What its interface to boot loaders is.
    public enum Kind: String, Sendable, CaseIterable {
        case bios
        case uefi
    }

    /// 64 KiB to 16 MiB, in steps of 64 KiB.
    public static let sizeUnit: UInt64 = 64 << 10
    public static let sizeLimit: UInt64 = 16 << 20
    /// How much of a BIOS is also below 1 MiB, where real mode reaches it; in bytes.
    static let shadowLimit = 256 << 10

    public let kind: Kind
    public let bytes: [UInt8]

    /// Reads an image. It is the host's, and trusted as this program is.
    public init(_ path: FilePath) throws(BootError) {
        let descriptor = try system { () throws(SystemError) in try OwnedDescriptor.open(path, .readOnly) }
        let size = try system { () throws(SystemError) in try FileRevision(descriptor).size }
        guard size >= Self.sizeUnit, size <= Self.sizeLimit, size % Self.sizeUnit == 0 else {
            throw .notFirmware(path, size: size)
        }
        let bytes = try Kernel.readPrefix(descriptor, size: size, limit: size)
        guard bytes.count == Int(size) else { throw .notFirmware(path, size: UInt64(bytes.count)) }
        self.init(bytes: bytes)
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
        // An image of UEFI begins with a firmware volume (UEFI PI 1.7, volume 3, section 3.2.1).
        kind = bytes.dropFirst(40).starts(with: "_FVH".utf8) ? .uefi : .bios
    }

    /// Guest-physical address of the image: it ends at 4 GiB, and is read-only there.
    public var address: UInt64 { MachineLayout.secondMemory - UInt64(bytes.count) }

    /// The copy that a BIOS changes as it runs, up to 1 MiB. It tells a start from a restart by a variable there, so
    /// that each start needs it anew.
    public var shadow: BootWrite? {
        guard kind == .bios else { return nil }
        let copy = Array(bytes.suffix(Self.shadowLimit))
        return BootWrite(address: MachineLayout.highMemory - UInt64(copy.count), content: .bytes(copy))
    }
}
