public import LinuxSystem
public import Reporting

/// Why the connection to a front-end was given up.
public enum VhostUserError: UserFacingError, Equatable {
    /// A message that no correct front-end sends. The request is its number.
    case malformed(request: UInt32, String)
    /// The connection ended inside a message.
    case cutOff
    /// The guest's memory is not laid out as it has to be.
    case unusableMemory(String)
    case system(SystemError)

    public var summary: String {
        switch self {
        case .malformed(let request, let why): "vhost-user request \(request) is refused: \(why)"
        case .cutOff: "the vhost-user connection ended inside a message"
        case .unusableMemory(let why): "the guest's memory cannot be used: \(why)"
        case .system(let error): error.summary
        }
    }

    public var remedy: String? {
        switch self {
        case .unusableMemory: "Give the machine one memory-backend-memfd with share=on, as `wander up` does."
        default: nil
        }
    }
}
