/// The firmware that starts the boot loader on a box's disk.
public enum BoxFirmware: String, Sendable, Hashable, CaseIterable {
    case bios, uefi
}
