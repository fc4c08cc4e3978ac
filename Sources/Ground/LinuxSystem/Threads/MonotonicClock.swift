import CLinux
import Glibc

/// An instant of CLOCK_MONOTONIC; never goes back, stands still while the host is suspended.
public struct MonotonicClock: Comparable, Sendable {
    /// Since an arbitrary start.
    public let nanoseconds: Int64

    public static var now: MonotonicClock {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicClock(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    public func advanced(byMilliseconds milliseconds: Int64) -> MonotonicClock {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return MonotonicClock(nanoseconds: overflow ? .max : nanoseconds &+ min(product, .max - nanoseconds))
    }

    /// Rounded up, so that a wait for the result does not end just before the instant.
    public func milliseconds(since earlier: MonotonicClock) -> Int64 {
        (nanoseconds - earlier.nanoseconds + 999_999) / 1_000_000
    }

    /// Lets the thread sleep, also if signals arrive.
    public static func sleep(milliseconds: Int64) {
        let end = now.advanced(byMilliseconds: milliseconds)
        while now < end {
            let left = end.nanoseconds - now.nanoseconds
            var time = timespec(tv_sec: Int(max(0, left) / 1_000_000_000), tv_nsec: Int(max(0, left) % 1_000_000_000))
            _ = unsafe nanosleep(&time, nil)
        }
    }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// Since the host was started, with the time that it slept (CLOCK_BOOTTIME).
public func secondsSinceBoot() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec)
}
