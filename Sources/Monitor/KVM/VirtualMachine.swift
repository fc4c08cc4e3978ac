internal import CKVM
public import LinuxSystem
internal import SystemPackage

/// One machine: its memory, interrupt controllers and events. Any thread may use it; the kernel orders the requests.
public final class VirtualMachine: Sendable {
    private let descriptor: OwnedDescriptor
    private let runSize: Int

    init(_ descriptor: consuming OwnedDescriptor, runSize: Int) {
        self.descriptor = descriptor
        self.runSize = runSize
    }

    /// Shows the guest `host` at guest-physical `address`. Both are multiples of 4096.
    /// - Parameter slot: Names the region; a slot that is in use is replaced.
    ///
    /// `host` must stay mapped for as long as the machine or one of its processors exists.
    public func setMemory(
        slot: UInt32, at address: UInt64, _ host: UnsafeMutableRawBufferPointer, readOnly: Bool = false
    ) throws(KVMError) {
        var region = kvm_userspace_memory_region(
            slot: slot, flags: readOnly ? UInt32(KVM_MEM_READONLY) : 0, guest_phys_addr: address,
            memory_size: UInt64(host.count), userspace_addr: UInt64(UInt(bitPattern: host.baseAddress)))
        try requesting("set guest memory") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_memory_region), &region)
        }
    }

    /// Makes the interrupt controllers in the kernel: two 8259, an I/O APIC with 24 inputs, a local APIC for each
    /// processor. Call it before making the first processor.
    /// - Parameter reserved: Guest-physical address of four unused pages below 4 GiB, for KVM's own needs.
    public func makeInterruptControllers(reserved: UInt64) throws(KVMError) {
        var identityMap = reserved
        try requesting("set the identity map") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_identity_map_address), &identityMap)
        }
        try requesting("set the task state address") { () throws(Errno) in
            try descriptor.perform(kvm_set_tss_address, value: UInt(reserved + 4096))
        }
        try requesting("make interrupt controllers") { () throws(Errno) in
            try descriptor.perform(kvm_create_interrupt_controllers)
        }
    }

    /// Makes the interval timer of a PC, an 8254, whose first counter raises interrupt 0; with the port that gates its
    /// third (0x61). After the interrupt controllers, before the first processor.
    /// - Parameter catchesUp: Whether ticks that the guest could not take come one after the other once it can, for
    ///   those that count them.
    public func makeIntervalTimer(catchesUp: Bool) throws(KVMError) {
        var configuration = kvm_pit_config()
        configuration.flags = UInt32(KVM_PIT_SPEAKER_DUMMY)
        try requesting("make an interval timer") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_create_timer), &configuration)
        }
        var ticks = kvm_reinject_control()
        ticks.pit_reinject = catchesUp ? 1 : 0
        try requesting("set the interval timer's ticks") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_timer_ticks), &ticks)
        }
    }

    /// Makes processor `index`, which is also its APIC identifier; 0 is the one that boots.
    public func makeProcessor(_ index: Int) throws(KVMError) -> VirtualProcessor {
        let raw = try requesting("make a processor") { () throws(Errno) in
            try descriptor.perform(kvm_create_processor, value: UInt(index))
        }
        return try VirtualProcessor(OwnedDescriptor(owning: CInt(raw)), index: index, runSize: runSize)
    }

    /// Replaces the routes of interrupts: those of the controllers' inputs, which are always there, and `messages`.
    public func setRoutes(_ messages: [InterruptRoute]) throws(KVMError) {
        let routes = InterruptRoute.controllerInputs + messages.map { $0.entry }
        let size = MemoryLayout<kvm_irq_routing>.size + routes.count * MemoryLayout<kvm_irq_routing_entry>.stride
        let table = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { unsafe table.deallocate() }
        // Count and flags, both 32 bits wide.
        unsafe table.storeBytes(of: UInt64(routes.count), as: UInt64.self)
        let entries = unsafe kvm_route_entries(table)
        for (position, route) in routes.enumerated() { unsafe entries?[position] = route }
        try requesting("route interrupts") { () throws(Errno) in
            try unsafe descriptor.perform(kvm_set_routes, pointer: table)
        }
    }

    /// Raises interrupt `number` each time the event is signalled (irqfd). Its route must exist already.
    public func connect(_ event: borrowing EventDescriptor, toInterrupt number: UInt32) throws(KVMError) {
        try setInterruptEvent(event.descriptor.rawValue, number, flags: 0)
    }

    /// The same for a level-triggered interrupt: it stays raised until the guest has served it, which signals `served`.
    public func connect(
        _ event: borrowing EventDescriptor, toInterrupt number: UInt32, served: borrowing EventDescriptor
    ) throws(KVMError) {
        try setInterruptEvent(
            event.descriptor.rawValue, number, flags: UInt32(KVM_IRQFD_FLAG_RESAMPLE),
            served: served.descriptor.rawValue)
    }

    public func disconnect(_ event: borrowing EventDescriptor, fromInterrupt number: UInt32) throws(KVMError) {
        try setInterruptEvent(event.descriptor.rawValue, number, flags: UInt32(KVM_IRQFD_FLAG_DEASSIGN))
    }

    private func setInterruptEvent(
        _ event: CInt, _ number: UInt32, flags: UInt32, served: CInt = 0
    ) throws(KVMError) {
        var request = kvm_irqfd()
        request.fd = UInt32(bitPattern: event)
        request.gsi = number
        request.flags = flags
        request.resamplefd = UInt32(bitPattern: served)
        try requesting("connect an interrupt") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_interrupt_event), &request)
        }
    }

    /// Guest writes that signal an event instead of leaving the guest (ioeventfd).
    public enum WriteTrigger: Equatable, Sendable {
        /// Any write at this guest-physical address, of any width.
        case memory(UInt64)
        /// A write of `width` bytes to a port.
        case port(UInt16, width: UInt32)
    }

    public func connect(_ event: borrowing EventDescriptor, to trigger: WriteTrigger) throws(KVMError) {
        try setWriteEvent(event.descriptor.rawValue, trigger, flags: 0)
    }

    /// Like ``connect(_:to:)``, for an eventfd that somebody else owns.
    public func connect(eventDescriptor: CInt, to trigger: WriteTrigger) throws(KVMError) {
        try setWriteEvent(eventDescriptor, trigger, flags: 0)
    }

    public func disconnect(eventDescriptor: CInt, from trigger: WriteTrigger) throws(KVMError) {
        try setWriteEvent(eventDescriptor, trigger, flags: 1 << UInt32(kvm_ioeventfd_flag_nr_deassign))
    }

    public func disconnect(_ event: borrowing EventDescriptor, from trigger: WriteTrigger) throws(KVMError) {
        try setWriteEvent(event.descriptor.rawValue, trigger, flags: 1 << UInt32(kvm_ioeventfd_flag_nr_deassign))
    }

    private func setWriteEvent(_ event: CInt, _ trigger: WriteTrigger, flags: UInt32) throws(KVMError) {
        var request = kvm_ioeventfd()
        request.fd = event
        request.flags = flags
        switch trigger {
        case .memory(let address): request.addr = address
        case .port(let port, let width):
            request.addr = UInt64(port)
            request.len = width
            request.flags |= 1 << UInt32(kvm_ioeventfd_flag_nr_pio)
        }
        try requesting("connect a write event") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_write_event), &request)
        }
    }

    /// Delivers a message-signalled interrupt now.
    /// - Returns: Whether a processor took it.
    @discardableResult
    public func signal(_ message: InterruptMessage) throws(KVMError) -> Bool {
        var request = kvm_msi()
        request.address_lo = UInt32(truncatingIfNeeded: message.address)
        request.address_hi = UInt32(truncatingIfNeeded: message.address >> 32)
        request.data = message.data
        return try requesting("deliver an interrupt") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_signal_message), &request) > 0
        }
    }
}
