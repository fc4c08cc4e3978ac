internal import Boot

/// ACPI's fixed hardware (ACPI 6.5, section 4.8.3): events, the way to switch off, and a timer. ACPI mode is always on,
/// so there is no port to switch it on.
struct PowerRegisters {
    /// Events, as bits of the status and of the enable register.
    struct Event: OptionSet {
        let rawValue: UInt16
        static let powerButton = Self(rawValue: 1 << 8)
        /// What may be enabled, though only the button ever happens: timer, global lock, buttons and clock. A system
        /// looks whether what it has enabled is on.
        static let all = Self(rawValue: 1 << 0 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 10)
    }
    private enum Control {
        static let isACPI: UInt16 = 1 << 0
        static let sleeps: UInt16 = 1 << 13
        static let sleepTypes: UInt16 = 7 << 10
        /// What `\_S5` says.
        static let off: UInt16 = 5 << 10
    }
    /// How often the timer counts in a second.
    static let timerFrequency: Int64 = 3_579_545
    /// How many ports there are.
    static let count = 12

    private var status: Event = []
    private var enabled: Event = []
    private var control: UInt16 = 0

    /// Whether the system control interrupt is to be raised.
    var isRaised: Bool { !status.isDisjoint(with: enabled) }

    /// The guest sees it in the status register until it clears it there.
    mutating func note(_ event: Event) { status.insert(event) }

    /// - Parameters:
    ///   - offset: From the first port; with `width` it stays within ``count``.
    ///   - nanoseconds: Since whenever; the timer follows it.
    func read(at offset: Int, width: Int, nanoseconds: Int64) -> UInt32 {
        (0..<width).reduce(0) { $0 | UInt32(byte(at: offset + $1, nanoseconds)) << UInt32(8 * $1) }
    }

    private func byte(at offset: Int, _ nanoseconds: Int64) -> UInt8 {
        let (register, shift) =
            switch offset {
            case 0..<2: (UInt32(status.rawValue), offset)
            case 2..<4: (UInt32(enabled.rawValue), offset - 2)
            case 4..<6: (UInt32(control | Control.isACPI), offset - 4)
            case 8..<12: (Self.timer(nanoseconds), offset - 8)
            default: (0, 0)
            }
        return UInt8(truncatingIfNeeded: register >> UInt32(8 * shift))
    }

    static func timer(_ nanoseconds: Int64) -> UInt32 {
        // In two parts, so that no product overflows.
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return UInt32(truncatingIfNeeded: seconds &* timerFrequency &+ rest * timerFrequency / 1_000_000_000)
    }

    /// - Returns: Whether the guest switches itself off.
    mutating func write(_ value: UInt32, at offset: Int, width: Int) -> Bool {
        for lane in 0..<width {
            let byte = UInt16(truncatingIfNeeded: value >> UInt32(8 * lane) & 0xff)
            let place = offset + lane
            let (bits, mask) = place % 2 == 0 ? (byte, 0x00ff) : (byte << 8, 0xff00 as UInt16)
            switch place {
            // What is written as one is cleared.
            case 0..<2: status.subtract(Event(rawValue: bits))
            case 2..<4: enabled = Event(rawValue: enabled.rawValue & ~mask | bits).intersection(.all)
            case 4..<6: control = control & ~mask | bits
            default: break
            }
        }
        // The bit reads as zero.
        defer { control &= ~Control.sleeps }
        return control & Control.sleeps != 0 && control & Control.sleepTypes == Control.off
    }
}
