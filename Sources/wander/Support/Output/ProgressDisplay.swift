import Glibc
import JSON
import LinuxSystem
import Reporting

/// How progress looks: one redrawn line in a terminal, a line now and then elsewhere. Returns text; prints nothing.
struct ProgressDisplay {
    private struct Job {
        var progress: Progress
        let started: MonotonicClock
        var shown: MonotonicClock
    }

    let mode: GlobalOptions.ProgressMode
    private var jobs: [String: Job] = [:]
    private var current: String?
    private var drawn = false

    init(mode: GlobalOptions.ProgressMode) { self.mode = mode }

    mutating func update(_ progress: Progress, about subject: String?) -> String? {
        let key = (subject.map { "\($0): " } ?? "") + progress.label
        let now = MonotonicClock.now
        var job = jobs[key] ?? Job(progress: progress, started: now, shown: now)
        job.progress = progress
        defer { jobs[key] = job }
        switch mode {
        case .bar:
            let isNew = jobs[key] == nil
            guard isNew || now.milliseconds(since: job.shown) >= 100 else { return nil }
            job.shown = now
            current = key
            drawn = true
            return "\r\u{1b}[K" + Self.line(key, job, now: now)
        case .plain:
            // Something every few seconds, so that a log shows life without drowning in it.
            // A wait moves by its stages, which are told when they change.
            guard progress.unit != .seconds, now.milliseconds(since: job.shown) >= 3000 else { return nil }
            job.shown = now
            return "    " + Self.line(key, job, now: now) + "\n"
        case .auto, .json, .none: return nil
        }
    }

    mutating func end(_ label: String, about subject: String?) -> String? {
        let key = (subject.map { "\($0): " } ?? "") + label
        guard jobs.removeValue(forKey: key) != nil, current == key else { return nil }
        current = nil
        return clear()
    }

    /// The text that removes the bar.
    mutating func clear() -> String? {
        guard drawn else { return nil }
        drawn = false
        return "\r\u{1b}[K"
    }

    /// The text that draws the bar again below a line that was printed.
    mutating func redraw() -> String? {
        guard mode == .bar, let current, let job = jobs[current] else { return nil }
        drawn = true
        return Self.line(current, job, now: .now)
    }

    private static func line(_ key: String, _ job: Job, now: MonotonicClock) -> String {
        let progress = job.progress
        let elapsed = max(1, now.milliseconds(since: job.started))
        func amount(_ value: UInt64) -> String {
            switch progress.unit {
            case .bytes: "\(ByteCount(value))"
            case .items: "\(value)"
            case .seconds: Self.seconds(Double(value))
            }
        }
        var text = "\(key)  \(amount(progress.completed))"
        if let total = progress.total, total > 0 {
            let percent = Int(min(100, Double(progress.completed) / Double(total) * 100))
            text += " of \(amount(total))  \(percent) %"
        }
        let rate = Double(progress.completed) / Double(elapsed) * 1000
        if progress.unit == .bytes, rate >= 1 {
            text += "  \(ByteCount(UInt64(rate)))/s"
            if let total = progress.total, total > progress.completed {
                text += "  \(seconds(Double(total - progress.completed) / rate)) left"
            }
        }
        if let detail = progress.detail { text += "  \(detail)" }
        // A line that the terminal breaks cannot be drawn again.
        let columns = TerminalSize.of(STDERR_FILENO).map { Int($0.columns) } ?? 80
        return text.count < columns ? text : String(text.prefix(max(1, columns - 4))) + "..."
    }

    static func seconds(_ value: Double) -> String {
        let whole = Int(min(value, 1e6).rounded(.up))
        return whole < 90 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }

    /// An event as a line of JSON (`--progress json`).
    static func document(_ event: Event, about subject: String?) -> JSONValue {
        var members = [JSONMember("schema", 1)]
        if let subject { members.append(JSONMember("machine", .string(subject))) }
        switch event {
        case .step(let text): members += [JSONMember("event", "step"), JSONMember("text", .string(text))]
        case .output(let text): members += [JSONMember("event", "output"), JSONMember("text", .string(text))]
        case .warning(let text): members += [JSONMember("event", "warning"), JSONMember("text", .string(text))]
        case .note(let text): members += [JSONMember("event", "note"), JSONMember("text", .string(text))]
        case .finished(let label): members += [JSONMember("event", "finished"), JSONMember("label", .string(label))]
        case .progress(let progress):
            members += [
                JSONMember("event", "progress"), JSONMember("label", .string(progress.label)),
                JSONMember("completed", .size(progress.completed)), JSONMember("unit", .string(progress.unit.rawValue)),
                JSONMember("total", progress.total.map(JSONValue.size) ?? .null),
                JSONMember("detail", .optional(progress.detail)),
            ]
        }
        return .object(members)
    }
}
