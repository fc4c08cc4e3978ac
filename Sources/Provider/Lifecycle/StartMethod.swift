public import SystemPackage

/// How a guest starts.
public enum StartMethod: Sendable, Hashable {
    /// In a kernel that lies beside its disk.
    case kernel(FilePath, initrd: FilePath?, commandLine: String?)
    /// By firmware, which finds a boot loader on the disk.
    case firmware(Firmware)

    /// The interface between firmware and boot loader.
    public enum Firmware: String, Sendable, Hashable, CaseIterable {
        case bios, uefi

        public var words: String {
            switch self {
            case .bios: "BIOS"
            case .uefi: "UEFI"
            }
        }

        var other: Firmware { self == .bios ? .uefi : .bios }
    }

    /// One word, for records and for programs.
    var word: String {
        switch self {
        case .kernel: "kernel"
        case .firmware(let firmware): firmware.rawValue
        }
    }
}
