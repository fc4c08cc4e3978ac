internal import Boot
internal import GuestMemory
internal import KVM
internal import LinuxSystem

/// Firmware of a machine, in the memory chip that it lies in, and the devices that it needs.
final class LoadedFirmware {
    let computer: PersonalComputer
    let clock: ClockThread
    private let address: UInt64
    private let chip: MemoryMapping

    /// - Parameter disks: The numbers of the devices on the bus that are disks.
    init(_ image: FirmwareImage, _ platform: Platform, disks: [Int], memory: GuestMemory) throws(SystemError) {
        computer = try PersonalComputer(
            FirmwarePlan(platform, disks: disks), processors: platform.processors, memory: memory)
        clock = try ClockThread(computer)
        address = image.address
        chip = try MemoryMapping.anonymous(count: image.bytes.count)
        unsafe chip.bytes.copyBytes(from: image.bytes)
    }

    /// Puts the chip below 4 GiB, where the guest cannot change it.
    func show(to machine: VirtualMachine, slot: UInt32) throws(KVMError) {
        try unsafe machine.setMemory(slot: slot, at: address, chip.bytes, readOnly: true)
    }
}
