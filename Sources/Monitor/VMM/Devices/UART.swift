/// The registers of a 16550A serial port (PC16550D data sheet, section 8), with a receive buffer of 64 bytes.
///
/// Its line is infinitely fast: every byte is transmitted at once, so the transmitter is always empty.
struct UART {
    struct InterruptEnable: OptionSet {
        let rawValue: UInt8
        static let receivedData = Self(rawValue: 1 << 0)
        static let transmitterEmpty = Self(rawValue: 1 << 1)
    }
    struct LineControl: OptionSet {
        let rawValue: UInt8
        static let divisorLatchAccess = Self(rawValue: 1 << 7)
    }
    struct LineStatus: OptionSet {
        let rawValue: UInt8
        static let dataReady = Self(rawValue: 1 << 0)
        static let transmitterEmpty = Self(rawValue: 1 << 5 | 1 << 6)
    }
    struct ModemControl: OptionSet {
        let rawValue: UInt8
        static let loop = Self(rawValue: 1 << 4)
    }
    enum InterruptIdentification {
        static let none: UInt8 = 0x01
        static let transmitterEmpty: UInt8 = 0x02
        static let receivedData: UInt8 = 0x04
        static let buffersEnabled: UInt8 = 0xc0
    }
    /// Carrier, data set ready and clear to send: somebody is always there.
    private static let connected: UInt8 = 0xb0
    static let receiveLimit = 64

    private var interruptEnable: InterruptEnable = []
    private var lineControl: LineControl = []
    private var modemControl: ModemControl = []
    private var buffersEnabled = false
    private var scratch: UInt8 = 0
    private var divisor: UInt16 = 12
    private var received: [UInt8] = []
    private var transmitterInterrupt = false

    /// What an access did besides changing registers.
    struct Effect: Equatable {
        /// A byte for the line.
        var transmitted: UInt8?
        /// The interrupt line rises.
        var raisesInterrupt = false
    }

    /// Reads the register at `offset`, 0 to 7.
    mutating func read(at offset: UInt16) -> UInt8 {
        let latch = lineControl.contains(.divisorLatchAccess)
        switch (offset, latch) {
        case (0, true): return UInt8(truncatingIfNeeded: divisor)
        case (1, true): return UInt8(truncatingIfNeeded: divisor >> 8)
        case (0, false): return received.isEmpty ? 0 : received.removeFirst()
        case (1, false): return interruptEnable.rawValue
        case (2, _): return identifyInterrupt()
        case (3, _): return lineControl.rawValue
        case (4, _): return modemControl.rawValue
        case (5, _):
            let status: LineStatus = received.isEmpty ? .transmitterEmpty : [.transmitterEmpty, .dataReady]
            return status.rawValue
        case (6, _): return modemStatus
        default: return scratch
        }
    }

    /// Tells the pending interrupt of the highest priority; that of the transmitter ends by being told.
    private mutating func identifyInterrupt() -> UInt8 {
        let buffers = buffersEnabled ? InterruptIdentification.buffersEnabled : 0
        if !received.isEmpty, interruptEnable.contains(.receivedData) {
            return InterruptIdentification.receivedData | buffers
        }
        if transmitterInterrupt, interruptEnable.contains(.transmitterEmpty) {
            transmitterInterrupt = false
            return InterruptIdentification.transmitterEmpty | buffers
        }
        return InterruptIdentification.none | buffers
    }

    /// Modem inputs; in loop mode those are the modem outputs.
    private var modemStatus: UInt8 {
        guard modemControl.contains(.loop) else { return Self.connected }
        let outputs = modemControl.rawValue
        return (outputs & 0x2) << 3 | (outputs & 0x1) << 5 | (outputs & 0x4) << 4 | (outputs & 0x8) << 4
    }

    mutating func write(_ value: UInt8, at offset: UInt16) -> Effect {
        let latch = lineControl.contains(.divisorLatchAccess)
        switch (offset, latch) {
        case (0, true): divisor = divisor & 0xff00 | UInt16(value)
        case (1, true): divisor = divisor & 0x00ff | UInt16(value) << 8
        case (0, false): return transmit(value)
        case (1, false):
            let enabled = InterruptEnable(rawValue: value & 0x0f)
            let news = enabled.subtracting(interruptEnable)
            interruptEnable = enabled
            if news.contains(.transmitterEmpty) { transmitterInterrupt = true }
            let receive = news.contains(.receivedData) && !received.isEmpty
            return Effect(raisesInterrupt: receive || news.contains(.transmitterEmpty))
        case (2, _):
            buffersEnabled = value & 1 != 0
            if value & 2 != 0 { received = [] }
        case (3, _): lineControl = LineControl(rawValue: value)
        case (4, _): modemControl = ModemControl(rawValue: value & 0x1f)
        case (7, _): scratch = value
        default: break
        }
        return Effect()
    }

    private mutating func transmit(_ byte: UInt8) -> Effect {
        transmitterInterrupt = true
        let transmitter = interruptEnable.contains(.transmitterEmpty)
        guard modemControl.contains(.loop) else { return Effect(transmitted: byte, raisesInterrupt: transmitter) }
        if received.count < Self.receiveLimit { received.append(byte) }
        return Effect(raisesInterrupt: transmitter || interruptEnable.contains(.receivedData))
    }

    /// Takes bytes from the line.
    /// - Returns: How many found room, and whether the interrupt line rises.
    mutating func receive(_ bytes: ArraySlice<UInt8>) -> (count: Int, raisesInterrupt: Bool) {
        let count = modemControl.contains(.loop) ? 0 : min(bytes.count, Self.receiveLimit - received.count)
        received += bytes.prefix(count)
        return (count, count > 0 && interruptEnable.contains(.receivedData))
    }
}
