import LinuxSystem
import SystemPackage

/// Firmware as files of this host, as distributions' packages install them.
enum FirmwareFile {
    /// The most capable first: `bios.bin` lacks what few boot loaders need.
    private static let places: [StartMethod.Firmware: [FilePath]] = [
        .bios: ["/usr/share/seabios", "/usr/share/qemu", "/usr/share/qemu-kvm"].flatMap { folder in
            ["bios-256k.bin", "bios.bin"].map { FilePath(folder).appending($0) }
        },
        .uefi: [
            "/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF.fd", "/usr/share/edk2/x64/OVMF.4m.fd",
            "/usr/share/edk2-ovmf/x64/OVMF.fd", "/usr/share/qemu/ovmf-x86_64.bin",
        ],
    ]

    /// nil if it is not installed.
    static func path(_ firmware: StartMethod.Firmware) -> FilePath? {
        places[firmware]?.first { !FileSystem.isAbsent($0) }
    }

    /// Debian's package.
    static func package(_ firmware: StartMethod.Firmware) -> String {
        switch firmware {
        case .bios: "seabios"
        case .uefi: "ovmf"
        }
    }
}
