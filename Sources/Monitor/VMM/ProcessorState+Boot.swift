internal import Boot
internal import KVM

extension ProcessorState {
    /// The state in which a kernel wants to be entered.
    init(_ entry: BootEntry) {
        switch entry.mode {
        case .long(let pageTables):
            // Selectors as in the boot plan's descriptor table: code, data, task state.
            self.init(
                rip: entry.instructionPointer, cr0: 0x8000_0001,
                code: Segment(selector: 0x08, attributes: 0xa09b), data: Segment(selector: 0x10, attributes: 0xc093),
                task: Segment(selector: 0x18, attributes: 0x808b))
            cr3 = pageTables
            cr4 = 0x20  // Physical address extension
            efer = 0x500  // Long mode, enabled and active
            rsi = entry.parameters
        case .protected:
            self = .protected(rip: entry.instructionPointer)
            rbx = entry.parameters
        }
        rsp = entry.stackPointer
        descriptorTable = Table(base: entry.descriptorTable, limit: entry.descriptorTableLimit)
        interruptTable = Table(base: entry.interruptTable, limit: 7)
    }
}
