/// What firmware and boot loaders say on the serial port after which nothing more happens.
public struct LoaderFailure: Sendable, Hashable {
    /// As they say it; `\n` is the beginning of a line.
    public let text: String
    /// For the end of a sentence.
    public let reason: String
    /// Whether scripts show it too, one line after the other: it counts where nothing follows.
    public let isPrompt: Bool

    private init(_ text: String, _ reason: String, isPrompt: Bool = false) {
        self.text = text
        self.reason = reason
        self.isPrompt = isPrompt
    }

    public static let all = [
        LoaderFailure("No bootable device", nothing),
        LoaderFailure("Boot failed: could not read the boot disk", "the firmware could not read its disk"),
        LoaderFailure("grub rescue>", "GRUB does not find its files on the disk, and waits at 'grub rescue>'"),
        LoaderFailure("\ngrub> ", "GRUB found no configuration, and waits at 'grub>'", isPrompt: true),
        LoaderFailure(
            "failed: No such file or directory\nboot: ", "SYSLINUX does not find the kernel, and waits at 'boot:'"),
        LoaderFailure("failed: I/O error\nboot: ", "SYSLINUX cannot read the kernel, and waits at 'boot:'"),
        LoaderFailure("Could not find kernel image", "SYSLINUX does not find the kernel, and waits at 'boot:'"),
        LoaderFailure("Missing operating system", "its boot sector says 'Missing operating system'"),
        LoaderFailure("Operating system not found", "its boot sector says 'Operating system not found'"),
        LoaderFailure("BOOTMGR is missing", "its boot sector says 'BOOTMGR is missing'"),
        LoaderFailure("No bootable option or device was found", nothing),
        LoaderFailure("\nShell> ", "\(nothing), and waits in the UEFI shell", isPrompt: true),
    ]

    private static let nothing = "the firmware found nothing to start on its disks"
}
