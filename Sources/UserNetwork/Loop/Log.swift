import Glibc
import LinuxSystem

/// The process's log, on standard error. A guest can cause messages, so their rate is limited.
struct Log {
    private var tokens = 50
    private var refilled = MonotonicClock.now
    private var suppressed = 0

    mutating func write(_ message: String) {
        let now = MonotonicClock.now
        let seconds = now.milliseconds(since: refilled) / 1000
        if seconds > 0 {
            tokens = min(50, tokens + Int(min(seconds, 50)))
            refilled = now
        }
        guard tokens > 0 else {
            suppressed += 1
            return
        }
        tokens -= 1
        let note = suppressed > 0 ? " (\(suppressed) messages before this one were left out)" : ""
        suppressed = 0
        // Control characters in a name from outside must not reach a terminal that shows the log.
        let clean = message.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) }
        let line = Array("\(timestamp(wallClockSeconds())) \(String(clean))\(note)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
