import SSH

/// Root's script that sets a guest's clock forward to the host's. The clock of a guest that was stopped continues from
/// that moment. Whatever the guest itself does about its time, it does afterwards.
///
/// It needs only a POSIX shell and date(1), which may be GNU's, BusyBox's or Toybox's.
enum GuestClock {
    /// What the guest said.
    enum Outcome: Equatable {
        case right
        /// By how many seconds it was behind.
        case set(behind: Int64)
        case failed(String)

        /// - Parameter word: Where the guest's answer starts; what a login shell prints before is passed over.
        init?(_ output: String, after word: String) {
            let answers = output.split(separator: "\n").compactMap { line -> Substring? in
                guard let place = line.range(of: word + " ") else { return nil }
                return line[place.upperBound...]
            }
            guard let last = answers.last(where: { $0 != "ready" }) else { return nil }
            let words = last.split(separator: " ", maxSplits: 1)
            switch words.first.map(String.init) ?? "" {
            case "right": self = .right
            case "set":
                guard words.count == 2, let seconds = Int64(words[1]) else { return nil }
                self = .set(behind: seconds)
            case "failed": self = .failed(words.count == 2 ? String(words[1]) : "date(1) gave no reason")
            default: return nil
            }
        }
    }

    /// The time, as the script reads it: seconds, nine digits of the fraction, and the nearest second.
    static func line(seconds: Int64, nanoseconds: Int64) -> String {
        let fraction = String(nanoseconds)
        let padded = String(repeating: "0", count: max(0, 9 - fraction.utf8.count)) + fraction
        return "\(seconds) \(padded) \(nanoseconds < 500_000_000 ? seconds : seconds + 1)\n"
    }

    static let script = BuiltInScript.text(PackageResources.set_clock_sh)
}

extension Substring {
    fileprivate func range(of word: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(word) { return start..<index(start, offsetBy: word.count) }
            start = index(after: start)
        }
        return nil
    }
}
