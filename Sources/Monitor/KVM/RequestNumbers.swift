internal import CKVM

/// The numbers of the ioctl(2) requests that this target makes, for code that limits what a process or thread may ask.
public enum RequestNumbers {
    /// The requests of a running guest: its processors' own, and those for events and interrupts as the guest sets up
    /// devices.
    public static let ofRunningGuest = numbers([
        kvm_run_processor, kvm_note_stop, kvm_set_routes, kvm_set_interrupt_event, kvm_set_write_event,
        kvm_get_registers,
    ])

    /// The additional requests for making a machine, from an open ``Hypervisor`` on.
    public static let ofMaking = numbers([
        kvm_create_machine, kvm_check_extension, kvm_get_run_size, kvm_get_supported_features, kvm_set_tss_address,
        kvm_set_identity_map_address, kvm_create_interrupt_controllers, kvm_create_timer, kvm_set_timer_ticks,
        kvm_set_memory_region, kvm_create_processor, kvm_set_features, kvm_set_model_registers, kvm_set_registers,
        kvm_get_system_registers,
        kvm_set_system_registers, kvm_set_floating_point, kvm_get_local_controller, kvm_set_local_controller,
        kvm_get_tsc_kilohertz,
    ])

    /// The kernel looks at the lower half alone.
    private static func numbers(_ requests: [UInt]) -> [UInt32] { requests.map { UInt32(truncatingIfNeeded: $0) } }
}
