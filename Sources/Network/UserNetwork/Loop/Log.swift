import Glibc
import LinuxSystem

/// The process's log. A guest can cause messages, so their rate is limited, and so is the file's size.
struct Log {
    /// Messages at once, and one more a second.
    static let burst = 50

    /// nil writes to standard error.
    private let file: BoundedLog?
    private var bucket = TokenBucket(rate: 1, burst: Double(Self.burst))
    private var suppressed = 0

    init(_ file: BoundedLog? = nil) { self.file = file }

    mutating func write(_ message: String) {
        guard bucket.take(at: MonotonicClock.now.nanoseconds) else {
            suppressed += 1
            return
        }
        let note = suppressed > 0 ? " (\(suppressed) messages before this one were left out)" : ""
        suppressed = 0
        // Control characters in a name from outside must not reach a terminal that shows the log.
        let clean = message.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) }
        let line = Array("\(timestamp(wallClockSeconds())) \(String(clean))\(note)\n".utf8)
        guard let file else {
            _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
            return
        }
        file.write(line)
    }
}
