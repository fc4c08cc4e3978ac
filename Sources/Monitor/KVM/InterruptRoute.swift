internal import CKVM

/// What a device writes to raise a message-signalled interrupt (PCI Local Bus 3.0, section 6.8).
public struct InterruptMessage: Equatable, Sendable {
    public var address: UInt64
    public var data: UInt32

    public init(address: UInt64, data: UInt32) {
        self.address = address
        self.data = data
    }
}

/// Connects an interrupt number of this machine with a message.
public struct InterruptRoute: Equatable, Sendable {
    /// The first number that is not an input of the I/O APIC.
    public static let firstMessage: UInt32 = 24
    /// One above the last number that KVM routes.
    public static let limit: UInt32 = 4096

    public var number: UInt32
    public var message: InterruptMessage

    public init(number: UInt32, message: InterruptMessage) {
        self.number = number
        self.message = message
    }

    var entry: kvm_irq_routing_entry {
        var entry = kvm_irq_routing_entry()
        entry.gsi = number
        entry.type = UInt32(KVM_IRQ_ROUTING_MSI)
        unsafe entry.u.msi.address_lo = UInt32(truncatingIfNeeded: message.address)
        unsafe entry.u.msi.address_hi = UInt32(truncatingIfNeeded: message.address >> 32)
        unsafe entry.u.msi.data = message.data
        return entry
    }

    /// The wiring of a PC: inputs 0 to 15 reach both the 8259 pair and the I/O APIC, 16 to 23 the I/O APIC alone.
    static var controllerInputs: [kvm_irq_routing_entry] {
        func input(_ number: UInt32, _ controller: CInt, _ pin: UInt32) -> kvm_irq_routing_entry {
            var entry = kvm_irq_routing_entry()
            entry.gsi = number
            entry.type = UInt32(KVM_IRQ_ROUTING_IRQCHIP)
            unsafe entry.u.irqchip.irqchip = UInt32(controller)
            unsafe entry.u.irqchip.pin = pin
            return entry
        }
        let first = (0..<8).map { input($0, CInt(KVM_IRQCHIP_PIC_MASTER), $0) }
        let second = (8..<16).map { input($0, CInt(KVM_IRQCHIP_PIC_SLAVE), $0 - 8) }
        let all = (0..<24).map { input($0, CInt(KVM_IRQCHIP_IOAPIC), $0) }
        return first + second + all
    }
}
