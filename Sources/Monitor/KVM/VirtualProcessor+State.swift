internal import CKVM
internal import LinuxSystem
internal import SystemPackage

extension VirtualProcessor {
    /// Tells the guest what the processor can do. Call it before ``setModelRegisters(_:)``, which refuses what was not
    /// announced.
    public func setFeatures(_ features: ProcessorFeatures) throws(KVMError) {
        try requesting("set processor features") { () throws(Errno) in try features.install(in: descriptor) }
    }

    /// Sets general, control and segment registers; the floating-point unit as after FNINIT.
    public func setState(_ state: ProcessorState) throws(KVMError) {
        var system = kvm_sregs()
        try requesting("read registers") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_get_system_registers), &system)
        }
        let data = Self.segment(state.data)
        (system.cs, system.tr) = (Self.segment(state.code), Self.segment(state.task))
        (system.ds, system.es, system.fs, system.gs, system.ss) = (data, data, data, data, data)
        (system.gdt.base, system.gdt.limit) = (state.descriptorTable.base, state.descriptorTable.limit)
        (system.idt.base, system.idt.limit) = (state.interruptTable.base, state.interruptTable.limit)
        (system.cr0, system.cr3, system.cr4, system.efer) = (state.cr0, state.cr3, state.cr4, state.efer)
        try requesting("set system registers") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_system_registers), &system)
        }
        var general = kvm_regs()
        (general.rip, general.rsp, general.rbp, general.rflags) = (state.rip, state.rsp, state.rsp, state.rflags)
        (general.rax, general.rbx, general.rcx, general.rdx) = (state.rax, state.rbx, state.rcx, state.rdx)
        general.rsi = state.rsi
        try requesting("set registers") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_registers), &general)
        }
        var floatingPoint = kvm_fpu()
        floatingPoint.fcw = 0x37f
        floatingPoint.mxcsr = 0x1f80
        try requesting("set floating-point registers") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_floating_point), &floatingPoint)
        }
    }

    private static func segment(_ segment: ProcessorState.Segment) -> kvm_segment {
        let attributes = segment.attributes
        func bits(_ shift: UInt16, _ mask: UInt16 = 1) -> UInt8 {
            UInt8(truncatingIfNeeded: attributes >> shift & mask)
        }
        return kvm_segment(
            base: segment.base, limit: segment.limit, selector: segment.selector, type: bits(0, 0xf), present: bits(7),
            dpl: bits(5, 3), db: bits(14), s: bits(4), l: bits(13), g: bits(15), avl: bits(12), unusable: 0, padding: 0)
    }

    /// The processor's instruction pointer and accumulator, for a report about a guest that failed.
    public func position() throws(KVMError) -> (rip: UInt64, rsp: UInt64, rax: UInt64) {
        var general = kvm_regs()
        try requesting("read registers") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_get_registers), &general)
        }
        return (general.rip, general.rsp, general.rax)
    }

    /// Sets model-specific registers, one by one: KVM stops at the first that it refuses.
    /// - Returns: The numbers of those that it refused.
    public func setModelRegisters(_ registers: [(number: UInt32, value: UInt64)]) throws(KVMError) -> [UInt32] {
        var refused: [UInt32] = []
        let size = MemoryLayout<kvm_msrs>.size + MemoryLayout<kvm_msr_entry>.stride
        let table = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { unsafe table.deallocate() }
        for register in registers {
            // Count and padding, both 32 bits wide.
            unsafe table.storeBytes(of: 1, as: UInt64.self)
            unsafe kvm_model_register_entries(table)?[0] = kvm_msr_entry(
                index: register.number, reserved: 0, data: register.value)
            let count = try requesting("set model-specific registers") { () throws(Errno) in
                try unsafe descriptor.perform(kvm_set_model_registers, pointer: table)
            }
            if count != 1 { refused.append(register.number) }
        }
        return refused
    }

    /// The model-specific registers as firmware leaves them: system calls off, fast string instructions, and all memory
    /// write-back by default (Intel SDM volume 4).
    public static let bootModelRegisters: [(number: UInt32, value: UInt64)] = [
        (0x174, 0), (0x175, 0), (0x176, 0),  // SYSENTER
        (0xc000_0081, 0), (0xc000_0082, 0), (0xc000_0083, 0), (0xc000_0084, 0), (0xc000_0102, 0),  // SYSCALL, SWAPGS
        (0x10, 0),  // Time-stamp counter
        (0x1a0, 1),  // Miscellaneous features: fast strings
        (0x2ff, 0x806),  // Memory types: on, write-back
    ]

    /// Wires the local APIC's two inputs as firmware does: LINT0 to the 8259, LINT1 to NMI.
    public func connectLocalInputs() throws(KVMError) {
        var controller = kvm_lapic_state()
        try requesting("read the local interrupt controller") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_get_local_controller), &controller)
        }
        unsafe withUnsafeMutableBytes(of: &controller) { registers in
            for (offset, mode) in [(0x350, 7), (0x360, 4)] as [(Int, UInt32)] {
                let old = unsafe registers.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                unsafe registers.storeBytes(of: old & ~0x700 | mode << 8, toByteOffset: offset, as: UInt32.self)
            }
        }
        try requesting("set the local interrupt controller") { () throws(Errno) in
            try descriptor.perform(IoctlRequest(kvm_set_local_controller), &controller)
        }
    }

    /// The frequency of the guest's time-stamp counter; nil where KVM does not know it.
    public var tscKilohertz: UInt32? {
        guard let kilohertz = try? descriptor.perform(kvm_get_tsc_kilohertz), kilohertz > 0 else { return nil }
        return UInt32(exactly: kilohertz)
    }
}
