import LinuxSystem
import Testing

@testable import VMM

@Suite struct ClockRegistersTests {
    private let registers = Registers()
    /// 2026-11-30T13:07:59Z, a Monday.
    private let now: Int64 = 1_796_044_079

    /// Registers that expectations may change.
    private final class Registers { var clock = ClockRegisters(processors: 4) }
    private var clock: ClockRegisters { registers.clock }

    private func read(_ register: UInt8, at time: Int64? = nil) -> UInt8 {
        registers.clock.select(register)
        return registers.clock.read(now: time ?? now)
    }
    private func note(_ cause: ClockRegisters.Cause) -> Bool { registers.clock.note(cause) }
    private func noteSecond(now: Int64) -> Bool { registers.clock.noteSecond(now: now) }
    @discardableResult
    private func write(_ register: UInt8, _ value: UInt8, at time: Int64? = nil) -> Bool {
        registers.clock.select(register)
        return registers.clock.write(value, now: time ?? now)
    }

    @Test("the host's time, in decimal digits; binary and with twelve hours if the guest wants that")
    func time() {
        #expect(
            [0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32].map { read($0) } == [
                0x59, 0x07, 0x13, 2, 0x30, 0x11, 0x26, 0x20,
            ])
        // The mask of an interrupt is no part of the index.
        #expect(read(0x80) == 0x59)
        write(0x0b, 0x04)
        #expect(read(0x00) == 59 && read(0x04) == 1 | 0x80)
        write(0x0b, 0x00)
        #expect(read(0x04) == 0x01 | 0x80)
        #expect(read(0x04, at: now - 13 * 3600) == 0x12)
        #expect(read(0x0d) == 0x80 && read(0x0a) & 0x80 == 0)
    }

    @Test("what the guest sets goes on from there, also over a reset")
    func setting() {
        write(0x0b, 0x82)
        for (register, value): (UInt8, UInt8) in [
            (0x32, 0x19), (0x09, 0x99), (0x08, 0x12), (0x07, 0x31), (0x04, 0x23), (0x02, 0x59), (0x00, 0x58),
        ] { write(register, value) }
        #expect(read(0x00, at: now + 10) == 0x58)
        write(0x0b, 0x02)
        registers.clock.reset()
        #expect([0x00, 0x02, 0x04, 0x07, 0x08, 0x09, 0x32].map { read($0, at: now + 2) } == [0, 0, 0, 1, 1, 0, 0x20])
        // Digits that are none, and a month that is none, are only wrong times.
        for register: UInt8 in [0, 2, 4, 6, 7, 8, 9, 0x32] { write(register, 0xff) }
        _ = read(0x09)
    }

    @Test("memory keeps what is written; a reset clears it, but not what the machine is made of")
    func memory() {
        #expect(read(0x0f) == 0 && read(0x5f) == 3 && read(0x3d) == 2)
        write(0x0f, 5)
        write(0x40, 7)
        #expect(read(0x0f) == 5 && read(0x40) == 7)
        registers.clock.reset()
        #expect(read(0x0f) == 0 && read(0x40) == 0 && read(0x5f) == 3)
    }

    @Test("a periodic interrupt comes while it is enabled, and once until its cause was read")
    func periodic() {
        #expect(clock.period == nil)
        #expect(write(0x0b, 0x42))
        #expect(clock.period == 976_562)
        #expect(note(.periodic))
        #expect(!note(.periodic))
        #expect(read(0x0c) == 0xc0 && read(0x0c) == 0)
        #expect(note(.periodic))
        write(0x0a, 0x20)
        #expect(clock.period == nil)
        write(0x0a, 0x21)
        #expect(clock.period == 3_906_250)
        write(0x0b, 0x02)
        _ = read(0x0c)
        // It is noted, and raises nothing.
        #expect(!note(.periodic) && read(0x0c) == 0x40)
    }

    @Test("an alarm is for its time, or for any with the two highest bits set")
    func alarm() {
        write(0x05, 0x13)
        write(0x03, 0x08)
        write(0x01, 0xc0)
        write(0x0b, 0x22)
        #expect(clock.watchesSeconds)
        #expect(!noteSecond(now: now))
        _ = read(0x0c)
        #expect(noteSecond(now: now + 1))
        #expect(read(0x0c) == 0xb0)
        write(0x0b, 0x12)
        #expect(noteSecond(now: now) && read(0x0c) == 0x90)
    }
}
