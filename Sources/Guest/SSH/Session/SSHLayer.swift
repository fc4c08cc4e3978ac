/// How far a connection has come. An error names its layer, which distinguishes a guest that is still booting from one
/// whose key is wrong.
public enum SSHLayer: Int, Comparable, Sendable, CustomStringConvertible {
    /// Nothing listens yet, or the connection is being made.
    case connection
    /// Connected; the server has not introduced itself.
    case banner
    /// Encryption and the server's identity.
    case keyExchange
    case authentication
    /// Logged in; commands and transfers.
    case channel

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        switch self {
        case .connection: "connecting"
        case .banner: "waiting for the SSH server's greeting"
        case .keyExchange: "agreeing on encryption"
        case .authentication: "logging in"
        case .channel: "talking over the connection"
        }
    }
}
