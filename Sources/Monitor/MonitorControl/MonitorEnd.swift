public import JSON
internal import LinuxSystem
public import Reporting
public import SystemPackage

/// How a machine ended, as its monitor left it in the end record.
public struct MonitorEnd: Equatable, Sendable {
    public enum Reason: String, Sendable {
        /// The guest switched itself off.
        case powerOff = "power-off"
        /// Somebody asked the monitor to stop.
        case stopped
        /// The guest did what a machine cannot survive.
        case guestFailure = "guest-failure"
        /// The monitor or the host failed.
        case failure
    }

    public var reason: Reason
    public var detail: String?

    public init(reason: Reason, detail: String? = nil) {
        self.reason = reason
        self.detail = detail
    }

    /// The monitor's exit status for this end.
    public var exitStatus: Int32 {
        switch reason {
        case .powerOff, .stopped: 0
        case .guestFailure: 6
        case .failure: 1
        }
    }

    public var json: JSONValue { ["schema": 1, "reason": .string(reason.rawValue), "detail": .optional(detail)] }

    /// Reads an end record.
    /// - Returns: nil if there is none, or none that can be read: the monitor was killed.
    public static func read(from path: FilePath) -> MonitorEnd? {
        guard let bytes = try? FileSystem.read(path, limit: 1 << 16), let json = try? JSONParser.parse(bytes),
            let reason = json["reason"]?.stringValue.flatMap(Reason.init)
        else { return nil }
        return MonitorEnd(reason: reason, detail: json["detail"]?.stringValue)
    }
}

/// The line that a monitor writes to its status descriptor.
public enum MonitorStatus: Equatable, Sendable {
    /// The guest runs.
    case started
    case failed(summary: String, detail: String?, remedy: String?, kind: ErrorKind)

    public var json: JSONValue {
        switch self {
        case .started: ["started": true]
        case .failed(let summary, let detail, let remedy, let kind):
            [
                "error": [
                    "summary": .string(summary), "detail": .optional(detail), "remedy": .optional(remedy),
                    "kind": .string(kind.rawValue),
                ]
            ]
        }
    }

    /// - Returns: nil for anything but such a line, for example nothing at all from a monitor that was killed.
    public init?(line: some Collection<UInt8>) {
        guard let json = try? JSONParser.parse(line, limit: 1 << 16) else { return nil }
        if json["started"]?.boolValue == true {
            self = .started
            return
        }
        guard let error = json["error"], let summary = error["summary"]?.stringValue else { return nil }
        self = .failed(
            summary: summary, detail: error["detail"]?.stringValue, remedy: error["remedy"]?.stringValue,
            kind: error["kind"]?.stringValue.flatMap(ErrorKind.init) ?? .failure)
    }
}
