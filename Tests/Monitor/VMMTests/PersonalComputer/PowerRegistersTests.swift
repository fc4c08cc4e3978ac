import Testing

@testable import VMM

@Suite struct PowerRegistersTests {
    /// Registers that expectations may change.
    private final class Registers {
        var power = PowerRegisters()
        func write(_ value: UInt32, at offset: Int, width: Int) -> Bool {
            power.write(value, at: offset, width: width)
        }
    }
    private let registers = Registers()
    private var power: PowerRegisters { registers.power }

    @Test("the button is an event that the guest enables, sees and clears")
    func button() {
        registers.power.note(.powerButton)
        #expect(!power.isRaised)
        #expect(!registers.write(0x0100, at: 2, width: 2))
        #expect(power.isRaised)
        #expect(power.read(at: 0, width: 4, nanoseconds: 0) == 0x0100_0100)
        // What is written as zero stays.
        _ = registers.write(0x0021, at: 0, width: 2)
        #expect(power.isRaised)
        _ = registers.write(0x01, at: 1, width: 1)
        #expect(!power.isRaised && power.read(at: 0, width: 2, nanoseconds: 0) == 0)
    }

    @Test("all events that a system enables stay enabled, others do not")
    func enabling() {
        _ = registers.write(0xffff, at: 2, width: 2)
        #expect(power.read(at: 2, width: 2, nanoseconds: 0) == 0x0721)
    }

    @Test("ACPI is on; only sleep type 5 with its enable bit switches off")
    func control() {
        #expect(power.read(at: 4, width: 2, nanoseconds: 0) == 1)
        #expect(!registers.write(0x1400, at: 4, width: 2))
        #expect(power.read(at: 4, width: 2, nanoseconds: 0) == 0x1401)
        #expect(!registers.write(0x3000, at: 4, width: 2))
        #expect(power.read(at: 4, width: 2, nanoseconds: 0) & 0x2000 == 0)
        #expect(registers.write(0x3400, at: 4, width: 2))
        #expect(registers.write(0x34, at: 5, width: 1))
    }

    @Test("the timer counts 3.58 MHz, in any access")
    func timer() {
        #expect(PowerRegisters.timer(1_000_000_000) == 3_579_545)
        #expect(PowerRegisters.timer(1_200_000_000_000) == UInt32(truncatingIfNeeded: 1200 * 3_579_545 as Int64))
        #expect(power.read(at: 8, width: 4, nanoseconds: 1_000_000_000) == 3_579_545)
        #expect(power.read(at: 9, width: 1, nanoseconds: 1_000_000_000) == 3_579_545 >> 8 & 0xff)
    }
}
