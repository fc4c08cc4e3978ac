public import Reporting

/// A hook has failed.
public struct HookError: UserFacingError, Hashable {
    public enum Reason: Hashable, Sendable {
        /// As a shell reports it: 128 plus the signal's number.
        case status(Int32)
        case timedOut(seconds: Int64)
    }
    public var event: String
    public var isBefore: Bool
    public var hook: String
    public var reason: Reason
    public var lastLines: [String]

    public var summary: String {
        let what =
            switch reason {
            case .status(let status): "failed with exit status \(status)"
            case .timedOut(let seconds): "did not end within \(seconds) s"
            }
        let effect = isBefore ? "nothing else was done" : "everything else is done"
        return "hook '\(hook)' (\(event)) \(what); \(effect)"
    }
    public var detail: String? {
        lastLines.isEmpty ? nil : "its last output:\n" + lastLines.map { "  \($0)" }.joined(separator: "\n")
    }
    public var remedy: String? { "With 'on_error: warn' its failure is a warning." }
    public var kind: ErrorKind { isBefore ? .refused : .hookFailed }
}
