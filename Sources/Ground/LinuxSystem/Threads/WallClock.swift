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
    let time = CivilTime(seconds: seconds)
    func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(time.year)-\(padded(time.month))-\(padded(time.day))T"
        + "\(padded(time.hour)):\(padded(time.minute)):\(padded(time.second))Z"
}
