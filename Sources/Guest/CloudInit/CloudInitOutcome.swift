import JSON
import Reporting

/// What became of cloud-init's work at this start, as the guest says.
public enum CloudInitOutcome: Hashable, Sendable {
    /// The guest has no cloud-init.
    case absent
    /// It has one that did nothing, as it does where it is switched off or finds no data source.
    case unstarted
    case done
    /// It is done, and something was not as it should be.
    case degraded([String])
    /// - Parameters:
    ///   - status: The exit status of `cloud-init status`.
    ///   - log: The last lines of what it printed.
    case failed(status: Int32, errors: [String], log: [String])
    /// The guest says something else.
    case unclear(String)

    /// How many errors or warnings are kept, and how many characters of each.
    private static let limit = (count: 20, length: 1000)

    /// - Parameter said: What the script of ``CloudInitWait`` printed.
    init(_ said: [UInt8]) {
        var (status, answer, log): (Int32?, [[UInt8]], [String]) = (nil, [], [])
        for line in said.split(separator: 0x0a) {
            let words = line.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
            let rest = words.count > 1 ? Array(words[1]) : []
            switch String(decoding: words[0], as: UTF8.self) {
            case "absent":
                self = .absent
                return
            case "unstarted":
                self = .unstarted
                return
            case "exit": status = Int32(String(decoding: rest, as: UTF8.self))
            case "status": answer.append(rest)
            case "log": log.append(String(GuestText.line(rest).prefix(Self.limit.length)))
            default: break
            }
        }
        guard let status else {
            self = .unclear("it gave no exit status")
            return
        }
        let report = Report(json: Array(answer.joined(separator: [0x0a]))) ?? Report(lines: answer)
        switch report?.status {
        case "done", "degraded", "degraded done":
            self = report?.warnings.isEmpty == false ? .degraded(report?.warnings ?? []) : .done
        case "error": self = .failed(status: status, errors: report?.errors ?? [], log: log)
        case "disabled", "not run", "not started": self = .unstarted
        case let other?: self = .unclear("its status is '\(other)'")
        case nil: self = .unclear("its answer is not understood (exit status \(status))")
        }
    }

    /// What `cloud-init status --long` says.
    private struct Report {
        var status: String
        var errors: [String] = []
        var warnings: [String] = []

        /// The form for programs.
        init?(json bytes: [UInt8]) {
            guard let value = try? JSONParser.parse(bytes), let status = value["status"]?.stringValue else {
                return nil
            }
            self.status = Self.shown(status)
            errors = (value["errors"]?.arrayValue ?? []).prefix(limit.count).compactMap {
                $0.stringValue.map(Self.shown)
            }
            // By severity, since version 23.4.
            for severity in value["recoverable_errors"]?.objectValue ?? [] {
                for text in severity.value.arrayValue ?? [] where warnings.count < limit.count {
                    if let text = text.stringValue { warnings.append(Self.shown(text)) }
                }
            }
        }

        /// The form for people: `status: error`, and errors from the line after `detail:` on.
        init?(lines: [[UInt8]]) {
            let lines = lines.map { Self.shown(String(decoding: $0, as: UTF8.self)) }
            guard let line = lines.first(where: { $0.hasPrefix("status: ") }) else { return nil }
            status = String(line.dropFirst("status: ".count))
            if status == "error", let detail = lines.firstIndex(of: "detail:") {
                errors = lines[(detail + 1)...].prefix(limit.count).filter { !$0.isEmpty }
            }
        }

        private static func shown(_ text: String) -> String { String(GuestText.line(text.utf8).prefix(limit.length)) }
    }
}
