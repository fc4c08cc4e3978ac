public import JSON
public import Reporting
public import SystemPackage

/// Why a network could not do what was asked of it.
public enum NetworkError: UserFacingError, Equatable {
    /// The process said so; `kind` is the error kind that it named.
    case refused(String, detail: String?, remedy: String?, kind: ErrorKind)
    /// The process ended or answered something that is not its protocol.
    case noAnswer(FilePath)
    case didNotStart(String, log: FilePath)
    /// A guest's port did not open in time, or refused the connection.
    case guestPort(UInt16, machine: String?, reason: String)
    case noHelper(FilePath)

    public var summary: String {
        switch self {
        case .refused(let summary, _, _, _): summary
        case .noAnswer(let path): "the network process behind \(path) does not answer"
        case .didNotStart(let reason, _): "the environment's network did not start: \(reason)"
        case .guestPort(let port, let machine, let reason):
            "cannot connect to port \(port)\(machine.map { " of '\($0)'" } ?? ""): \(reason)"
        case .noHelper(let path): "the program \(path) is missing"
        }
    }
    public var detail: String? {
        switch self {
        case .refused(_, let detail, _, _): detail
        case .didNotStart(_, let log): "Its log is \(log)."
        default: nil
        }
    }
    public var remedy: String? {
        switch self {
        case .refused(_, _, let remedy, _): remedy
        case .noAnswer: "Run 'wander up' again: it starts a new network process that the machines reconnect to."
        case .noHelper: "Install wander completely: wander-net belongs beside wander."
        default: nil
        }
    }
    public var kind: ErrorKind {
        switch self {
        case .refused(_, _, _, let kind): kind
        case .guestPort: .network
        case .noHelper: .hostNotAble
        default: .failure
        }
    }
}

extension NetworkError {
    /// An error as the process sends it: `{"summary":…,"detail":…,"remedy":…,"kind":…}`. Guests talk to that process,
    /// so only as much of its text is taken as fits on a screen.
    public init(json: JSONValue) {
        func text(_ name: String) -> String? { json[name]?.stringValue.map { String($0.prefix(600)) } }
        self = .refused(
            text("summary") ?? "the network process reported an error without a message",
            detail: text("detail"), remedy: text("remedy"),
            kind: json["kind"]?.stringValue.flatMap { ErrorKind(rawValue: $0) } ?? .failure)
    }

    public static func json(of error: any Error) -> JSONValue {
        guard let error = error as? any UserFacingError else { return ["summary": .string("\(error)")] }
        return [
            "summary": .string(error.summary), "detail": .optional(error.detail), "remedy": .optional(error.remedy),
            "kind": .string(error.kind.rawValue),
        ]
    }
}
