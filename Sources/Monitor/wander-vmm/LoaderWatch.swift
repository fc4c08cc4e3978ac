import LinuxSystem
import MonitorControl

/// Reads along while firmware and boot loader use the serial port as their screen. Nobody sits there: a menu that would
/// wait, for seconds or for ever, is answered once, and a message after which nothing more happens is an error.
///
/// It knows loaders by their words, and believes none of them after the first word of a kernel.
struct LoaderWatch {
    enum Answer: Equatable {
        /// The default entry, as by its own time-out.
        case pressEnter
        /// The guest will not start; why, in words for a message.
        case giveUp(String)
    }

    /// So much text belongs to loaders at most, in characters.
    private static let limit = 64 << 10
    /// And so much time after the machine's start, in milliseconds: what a quiet guest says later is its own.
    private static let timeLimit: Int64 = 600_000
    /// No phrase is longer than what is kept to look for one across two pieces.
    private static let tail = 64

    private static let menus = [
        // GRUB, both its versions.
        "enter to boot the selected OS",
        // SYSLINUX with a menu, and without.
        "Automatic boot in", "\nboot: ",
    ]
    /// With these a kernel has begun.
    private static let kernels = ["Linux version ", "[    0.", "\nBooting `", "Loading initial ramdisk", " login: "]

    private var filter = EscapeFilter()
    /// The end of the text so far; a line begins there.
    private var recent: [UInt8] = [0x0a]
    private var count = 0
    private var isOver = false
    private var hasAnswered = false
    private let started = MonotonicClock.now

    /// - Parameter bytes: What the guest has written since the last call.
    mutating func read(_ bytes: [UInt8]) -> Answer? {
        guard !isOver, MonotonicClock.now.milliseconds(since: started) < Self.timeLimit else { return nil }
        let text = filter.text(bytes)
        recent += text
        count += text.count
        defer {
            recent = recent.suffix(Self.tail)
            if count > Self.limit { isOver = true }
        }
        // The earliest counts: what follows a kernel's first word is its own.
        func place(_ phrase: String) -> Int? { recent.firstRange(of: Array(phrase.utf8))?.lowerBound }
        let kernel = Self.kernels.compactMap(place).min() ?? .max
        for failure in LoaderFailure.all where !failure.isPrompt {
            guard let found = place(failure.text), found < kernel else { continue }
            isOver = true
            return .giveUp(failure.reason)
        }
        let hasMenu = Self.menus.compactMap(place).contains { $0 < kernel }
        isOver = kernel != .max
        // Once: an entry that fails leads back to the menu.
        guard hasMenu, !hasAnswered else { return nil }
        hasAnswered = true
        return .pressEnter
    }

    /// Somebody has typed: it is theirs.
    mutating func leaveAlone() { isOver = true }
}

/// Takes out what moves a terminal's cursor and colours its text, and what is not ASCII.
private struct EscapeFilter {
    private enum State { case text, escape, sequence }
    private var state = State.text

    mutating func text(_ bytes: [UInt8]) -> [UInt8] {
        bytes.filter { byte in
            switch state {
            case .text:
                if byte == 0x1b { state = .escape }
                return byte != 0x1b && byte != 0x0d && byte < 0x7f
            case .escape:
                state = byte == UInt8(ascii: "[") ? .sequence : .text
                return false
            case .sequence:
                if (0x40...0x7e).contains(byte) { state = .text }
                return false
            }
        }
    }
}
