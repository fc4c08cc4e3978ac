import KVM
import LinuxSystem

/// A machine of one page of RAM at 0x1000 and one processor that runs the given instructions there in flat 32-bit
/// protected mode.
final class TinyGuest {
    let machine: VirtualMachine
    let processor: VirtualProcessor
    private let memory: Memory

    private final class Memory {
        let mapping: MemoryMapping
        init() throws { mapping = try MemoryMapping.anonymous(count: 4096) }
    }

    init(_ code: [UInt8], interruptControllers: Bool = true) throws {
        let hypervisor = try Hypervisor.open()
        machine = try hypervisor.makeMachine()
        memory = try Memory()
        memory.mapping.bytes.copyBytes(from: code)
        try machine.setMemory(slot: 0, at: 0x1000, memory.mapping.bytes)
        if interruptControllers { try machine.makeInterruptControllers(reserved: 0xfffb_c000) }
        processor = try machine.makeProcessor(0)
        try processor.setFeatures(hypervisor.supportedFeatures().forProcessor(0, of: 1))
        try processor.setState(.protected(rip: 0x1000))
    }

    /// Byte `offset` of the page.
    subscript(offset: Int) -> UInt8 {
        get { memory.mapping.bytes[offset] }
        set { memory.mapping.bytes[offset] = newValue }
    }
}
