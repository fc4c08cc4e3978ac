import Glibc
import JSON
import LinuxSystem
import Reporting
import Synchronization

/// Everything that wander says to people, on standard error: steps, output of machines, progress, warnings, errors.
final class Console: EventSink {
    /// How the console looks. Decided once, from the options, the environment and the terminal.
    struct Style: Sendable {
        var usesColor: Bool
        var progress: GlobalOptions.ProgressMode
        var quiet: Bool
        var verbose: Bool

        init(
            color: GlobalOptions.ColorMode, progress: GlobalOptions.ProgressMode = .auto, quiet: Bool = false,
            verbose: Bool = false
        ) {
            let terminal = isatty(STDERR_FILENO) == 1
            let dumb = environmentVariable("TERM") == "dumb"
            switch color {
            case .always: usesColor = true
            case .never: usesColor = false
            case .auto: usesColor = terminal && !dumb && (environmentVariable("NO_COLOR") ?? "").isEmpty
            }
            self.quiet = quiet
            self.verbose = verbose
            let plain = !terminal || dumb || environmentVariable("CI") != nil
            self.progress = quiet ? .none : progress == .auto ? (plain ? .plain : .bar) : progress
        }
    }

    enum Tone: String {
        case bold = "1"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case dim = "2"
    }

    let style: Style
    private let display: Mutex<ProgressDisplay>

    init(_ style: Style) {
        self.style = style
        display = Mutex(ProgressDisplay(mode: style.progress))
    }

    var showsWarnings: Bool { style.progress == .json || !style.quiet }

    func report(_ event: Event, about subject: String?) {
        if style.progress == .json { return writeLine(ProgressDisplay.document(event, about: subject).compact) }
        let prefix = subject.map { "\($0): " } ?? ""
        switch event {
        case .step(let text): if !style.quiet { writeLine(paint("==> ", .cyan) + paint(prefix + text, .bold)) }
        case .output(let text): if !style.quiet { writeLine("    " + prefix + text) }
        case .note(let text): if style.verbose { writeLine("    " + paint(prefix + text, .dim)) }
        case .warning(let text): if !style.quiet { writeLine(paint("warning: ", .yellow) + prefix + text) }
        case .progress(let progress):
            let line = display.withLock { $0.update(progress, about: subject) }
            if let line { emit(line) }
        case .finished(let label):
            let line = display.withLock { $0.end(label, about: subject) }
            if let line { emit(line) }
        }
    }

    /// Prints an error: what, details, what to do next, and with `debug` the chain of causes.
    func report(_ error: any Error, about subject: String? = nil, debug: Bool = false) {
        let prefix = subject.map { "\($0): " } ?? ""
        guard let error = error as? any UserFacingError else {
            return writeLine(paint("error: ", .red) + prefix + shown("\(error)"))
        }
        var lines = [paint("error: ", .red) + paint(prefix + shown(error.summary), .bold)]
        if let detail = error.detail {
            lines += shown(detail).split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
        }
        if let remedy = error.remedy {
            lines += shown(remedy).split(separator: "\n").map { paint("  -> ", .cyan) + $0 }
        }
        if debug {
            var cause = error.cause
            while let current = cause {
                lines.append("  caused by: \(shown(current.inWords))")
                cause = (current as? any UserFacingError)?.cause
            }
        }
        writeLine(lines.joined(separator: "\n"))
    }

    /// Errors repeat what files, guests and other processes say; none of those commands the terminal.
    private func shown(_ text: String) -> String { GuestText.lines(text.utf8) }

    /// Says that Ctrl-C was seen.
    /// - Parameters:
    ///   - names: Of steps that run on to their end.
    ///   - isCutOff: Whether they were cut off now.
    func interrupted(lettingEnd names: [String], isCutOff: Bool) {
        let steps = names.sorted().joined(separator: ", ")
        if isCutOff {
            writeLine("Cutting off \(steps). Press Ctrl-C again to stop at once.")
        } else if names.isEmpty {
            writeLine("Stopping cleanly. Press Ctrl-C again to stop at once.")
        } else {
            writeLine("Stopping as soon as \(steps) has ended. Press Ctrl-C again to cut it off.")
        }
    }

    /// Leaves the terminal as a result or a question needs it: no bar on the last line.
    func finish() {
        let line = display.withLock { $0.clear() }
        if let line { emit(line) }
    }

    func paint(_ text: String, _ tone: Tone) -> String {
        style.usesColor ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// Colours a word of a result, which goes to standard output: only where that is a terminal too.
    func paintResult(_ text: String, _ tone: Tone) -> String { isatty(STDOUT_FILENO) == 1 ? paint(text, tone) : text }

    /// One write(2) a line, so that lines of several threads do not mix.
    private func writeLine(_ text: String) {
        let (before, after) = display.withLock { ($0.clear() ?? "", $0.redraw() ?? "") }
        emit(before + text + "\n" + after)
    }

    private func emit(_ text: String) { writeTalk(text) }
}
