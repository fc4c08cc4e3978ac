import CLinux
import Glibc

/// Seconds since 1970, UTC.
public func wallClockSeconds() -> Int64 { Int64(time(nil)) }

/// The time since 1970.
public func wallClock() -> (seconds: Int64, nanoseconds: Int64) {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return (Int64(now.tv_sec), Int64(now.tv_nsec))
}

/// `2026-03-01T12:00:00Z` for seconds since 1970.
public func timestamp(_ seconds: Int64) -> String {
    // Civil-from-days in the proleptic Gregorian calendar. Not gmtime_r(3): it reads the time zone's file first, and
    // a confined thread opens none.
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let second = seconds - days * 86_400
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
    func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year)-\(padded(calendarMonth))-\(padded(day))T"
        + "\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
}
