public import Reporting

/// Why a monitor refused its configuration.
public enum ConfigurationError: UserFacingError, Equatable {
    case malformed(String)
    case unknownSchema(Int64)
    case unknownMember(String)
    case outOfRange(String, String)

    public var summary: String {
        switch self {
        case .malformed(let why): "the monitor's configuration is malformed: \(why)"
        case .unknownSchema(let schema): "the monitor's configuration has schema \(schema); this one knows 1"
        case .unknownMember(let name): "the monitor's configuration has an unknown member '\(name)'"
        case .outOfRange(let member, let range): "the monitor's configuration: '\(member)' must be \(range)"
        }
    }

    public var remedy: String? {
        switch self {
        case .unknownSchema, .unknownMember: "Install wander and wander-vmm of the same version."
        default: nil
        }
    }

    public var kind: ErrorKind { .invalidConfiguration }
}
