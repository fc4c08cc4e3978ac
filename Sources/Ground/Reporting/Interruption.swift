/// The user asked to stop (Ctrl-C, SIGTERM). Thrown by whatever was waiting, so that every layer unwinds.
public struct Interruption: UserFacingError, Equatable {
    public init() {}
    public var summary: String { "interrupted" }
    public var kind: ErrorKind { .interrupted }
}
