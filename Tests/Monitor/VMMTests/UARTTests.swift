import Testing

@testable import VMM

@Suite struct UARTTests {
    @Test("a byte written to the transmitter leaves at once, and the transmitter stays empty")
    func transmit() {
        var uart = UART()
        #expect(uart.write(0x41, at: 0) == UART.Effect(transmitted: 0x41))
        #expect(uart.read(at: 5) == 0x60)
    }

    @Test("enabling the transmitter's interrupt raises it, telling it ends it, and each byte raises it again")
    func transmitterInterrupt() {
        var uart = UART()
        #expect(uart.write(0x02, at: 1).raisesInterrupt)
        #expect(uart.read(at: 2) == 0x02)
        #expect(uart.read(at: 2) == 0x01)
        #expect(uart.write(0x41, at: 0).raisesInterrupt)
        #expect(uart.read(at: 2) == 0x02)
        #expect(!uart.write(0x02, at: 1).raisesInterrupt)
        // Switched off and on again, as the driver's probe does.
        _ = uart.write(0x00, at: 1)
        #expect(uart.write(0x02, at: 1).raisesInterrupt)
    }

    @Test("received bytes are read in order, and what has no room is left to the caller")
    func receive() {
        var uart = UART()
        _ = uart.write(0x01, at: 1)
        let bytes = [UInt8](0..<100)
        let taken = uart.receive(bytes[...])
        #expect(taken.count == 64 && taken.raisesInterrupt)
        #expect(uart.read(at: 2) == 0x04)
        #expect(uart.read(at: 5) == 0x61)
        for byte in bytes.prefix(64) { #expect(uart.read(at: 0) == byte) }
        #expect(uart.read(at: 5) == 0x60)
        #expect(uart.read(at: 2) == 0x01)
        #expect(uart.read(at: 0) == 0)
    }

    @Test("the loop that drivers probe with returns bytes and modem lines")
    func loop() {
        var uart = UART()
        _ = uart.write(0x1a, at: 4)
        #expect(uart.read(at: 6) & 0xf0 == 0x90)
        #expect(uart.write(0x55, at: 0).transmitted == nil)
        #expect(uart.read(at: 0) == 0x55)
        _ = uart.write(0x00, at: 4)
        #expect(uart.read(at: 6) == 0xb0)
    }

    @Test("buffers are announced once they are switched on, and cleared on request")
    func buffers() {
        var uart = UART()
        #expect(uart.read(at: 2) == 0x01)
        _ = uart.write(0x01, at: 2)
        #expect(uart.read(at: 2) == 0xc1)
        _ = uart.receive([1, 2][...])
        _ = uart.write(0x03, at: 2)
        #expect(uart.read(at: 5) == 0x60)
    }

    @Test("the divisor hides behind its latch, and scratch and line control keep what they are given")
    func registers() {
        var uart = UART()
        _ = uart.write(0x80, at: 3)
        #expect(uart.read(at: 0) == 12)
        #expect(uart.read(at: 1) == 0)
        _ = uart.write(0x34, at: 0)
        _ = uart.write(0x12, at: 1)
        #expect(uart.read(at: 0) == 0x34)
        #expect(uart.read(at: 1) == 0x12)
        _ = uart.write(0x03, at: 3)
        #expect(uart.read(at: 3) == 0x03)
        _ = uart.write(0xa5, at: 7)
        #expect(uart.read(at: 7) == 0xa5)
        // The driver's probe: four bits of interrupt enable exist.
        _ = uart.write(0xff, at: 1)
        #expect(uart.read(at: 1) == 0x0f)
    }
}
