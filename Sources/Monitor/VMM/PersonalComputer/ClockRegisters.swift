internal import LinuxSystem

/// The clock of a PC and the memory beside it (MC146818A data sheet; the century is where ACPI and QEMU have it). It
/// shows the host's UTC, and what the guest has set it to is kept as a difference.
///
/// Time is passed in: nothing here waits.
struct ClockRegisters {
    /// What raises the interrupt, as bits of registers B (enabled) and C (happened).
    struct Cause: OptionSet {
        let rawValue: UInt8
        static let periodic = Self(rawValue: 1 << 6)
        static let alarm = Self(rawValue: 1 << 5)
        static let update = Self(rawValue: 1 << 4)
        static let all: Self = [.periodic, .alarm, .update]
    }
    private enum Register {
        static let seconds = 0x00
        static let secondsAlarm = 0x01
        static let minutes = 0x02
        static let minutesAlarm = 0x03
        static let hours = 0x04
        static let hoursAlarm = 0x05
        static let weekday = 0x06
        static let day = 0x07
        static let month = 0x08
        static let year = 0x09
        static let rate = 0x0a
        static let control = 0x0b
        static let cause = 0x0c
        static let valid = 0x0d
        /// What firmware does after a reset: 0 starts as after power-on.
        static let shutdown = 0x0f
        static let century = 0x32
        /// For the loader: the first hard disk.
        static let bootOrder = 0x3d
        /// One less than the number of processors.
        static let processors = 0x5f
    }
    private enum Control {
        static let isHeld: UInt8 = 1 << 7
        static let isBinary: UInt8 = 1 << 2
        static let has24Hours: UInt8 = 1 << 1
    }
    /// Register C: the interrupt is raised until C is read.
    private static let isRaised: UInt8 = 1 << 7
    private static let anyTime: UInt8 = 0xc0

    private var index = 0
    private var memory = [UInt8](repeating: 0, count: 128)
    /// Seconds from the host's time to the guest's.
    private var difference: Int64 = 0
    /// The guest's time while it sets the clock.
    private var held: CivilTime?
    private let processors: Int

    init(processors: Int) {
        self.processors = processors
        reset()
    }

    /// As after power-on; but the clock has a battery, and goes on.
    mutating func reset() {
        index = 0
        held = nil
        memory = [UInt8](repeating: 0, count: 128)
        memory[Register.rate] = 0x26
        memory[Register.control] = Control.has24Hours
        memory[Register.bootOrder] = 0x02
        memory[Register.processors] = UInt8(clamping: processors - 1)
    }

    // MARK: - Ports

    /// The index port; its highest bit masks an interrupt that there is none of.
    mutating func select(_ value: UInt8) { index = Int(value & 0x7f) }

    /// - Parameter now: The host's time in seconds since 1970.
    mutating func read(now: Int64) -> UInt8 {
        switch index {
        case Register.cause:
            defer { memory[Register.cause] = 0 }
            return memory[Register.cause]
        case Register.valid: return 0x80
        default: return field(of: time(now)).map(encode) ?? memory[index]
        }
    }

    /// - Returns: Whether what raises interrupts has changed.
    mutating func write(_ value: UInt8, now: Int64) -> Bool {
        switch index {
        case Register.cause, Register.valid: return false
        case Register.rate:
            memory[index] = value & 0x7f
            return true
        case Register.control:
            memory[index] = value
            if value & Control.isHeld != 0 {
                held = held ?? time(now)
            } else if let time = held {
                held = nil
                difference = time.seconds - now
            }
            return true
        default:
            if field(of: time(now)) != nil { set(value, now: now) } else { memory[index] = value }
            return [Register.secondsAlarm, Register.minutesAlarm, Register.hoursAlarm].contains(index)
        }
    }

    private func time(_ now: Int64) -> CivilTime { held ?? CivilTime(seconds: now &+ difference) }

    /// What of the time the chosen register has, in plain numbers; hours are encoded further.
    private func field(of time: CivilTime) -> Int64? {
        switch index {
        case Register.seconds: time.second
        case Register.minutes: time.minute
        case Register.hours: time.hour
        case Register.weekday: time.weekday + 1
        case Register.day: time.day
        case Register.month: time.month
        case Register.year: time.year % 100
        case Register.century: time.year / 100
        default: nil
        }
    }

    private mutating func set(_ value: UInt8, now: Int64) {
        var time = time(now)
        let number = decode(value)
        switch index {
        case Register.seconds: time.second = number
        case Register.minutes: time.minute = number
        case Register.hours: time.hour = number
        case Register.day: time.day = number
        case Register.month: time.month = number
        case Register.year: time.year = time.year / 100 * 100 + number % 100
        case Register.century: time.year = number % 100 * 100 + time.year % 100
        // The day of the week follows from the date.
        default: return
        }
        if held != nil { held = time } else { difference = time.seconds - now }
    }

    // MARK: - Numbers

    private var isBinary: Bool { memory[Register.control] & Control.isBinary != 0 }
    private var has24Hours: Bool { memory[Register.control] & Control.has24Hours != 0 }

    private func encode(_ number: Int64) -> UInt8 {
        let isHour = index == Register.hours && !has24Hours
        let shown = isHour ? (number + 11) % 12 + 1 : number
        let digits = isBinary ? shown : (shown / 10) << 4 | shown % 10
        return UInt8(truncatingIfNeeded: digits) | (isHour && number >= 12 ? 0x80 : 0)
    }

    private func decode(_ value: UInt8, isHour: Bool? = nil) -> Int64 {
        let isHour = (isHour ?? (index == Register.hours)) && !has24Hours
        let digits = Int64(isHour ? value & 0x7f : value)
        let number = isBinary ? digits : (digits >> 4) * 10 + digits & 0xf
        guard isHour else { return number }
        return number % 12 + (value & 0x80 != 0 ? 12 : 0)
    }

    // MARK: - Interrupts

    private var enabled: Cause { Cause(rawValue: memory[Register.control]).intersection(.all) }

    /// Takes note of what happened.
    /// - Returns: Whether the interrupt line rises.
    mutating func note(_ cause: Cause) -> Bool {
        let wasRaised = memory[Register.cause] & Self.isRaised != 0
        memory[Register.cause] |= cause.rawValue
        guard !wasRaised, !enabled.isDisjoint(with: cause) else { return false }
        memory[Register.cause] |= Self.isRaised
        return true
    }

    /// How long periodic interrupts are apart, in nanoseconds; nil while there are none.
    var period: Int64? {
        guard enabled.contains(.periodic) else { return nil }
        let rate = Int64(memory[Register.rate] & 0xf)
        // The two fastest rates are the next slower ones again (data sheet, table 5).
        let steps = rate == 0 ? nil : rate <= 2 ? rate + 7 : rate
        return steps.map { (1 << ($0 - 1)) * 1_000_000_000 / 32_768 }
    }

    /// Whether each new second is to be noted.
    var watchesSeconds: Bool { !enabled.isDisjoint(with: [.alarm, .update]) }

    /// What a new second means.
    mutating func noteSecond(now: Int64) -> Bool {
        guard held == nil else { return false }
        return note(isAlarm(now: now) ? [.update, .alarm] : .update)
    }

    private func isAlarm(now: Int64) -> Bool {
        let time = time(now)
        func matches(_ register: Int, _ number: Int64) -> Bool {
            let value = memory[register]
            return value & Self.anyTime == Self.anyTime
                || decode(value, isHour: register == Register.hoursAlarm) == number
        }
        return matches(Register.secondsAlarm, time.second) && matches(Register.minutesAlarm, time.minute)
            && matches(Register.hoursAlarm, time.hour)
    }
}
