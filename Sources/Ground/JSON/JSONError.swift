public import Reporting

/// Why a text is not the JSON that was asked for.
public enum JSONError: UserFacingError, Equatable {
    /// `offset` counts bytes from 0.
    case malformed(String, offset: Int)
    case tooLarge(limit: Int)
    case tooDeep(limit: Int)
    case missing(String)
    case wrongType(String, expected: String)

    public var summary: String {
        switch self {
        case .malformed(let what, let offset): "malformed JSON at byte \(offset): \(what)"
        case .tooLarge(let limit): "JSON text of more than \(ByteCount(UInt64(limit)))"
        case .tooDeep(let limit): "JSON nested deeper than \(limit) levels"
        case .missing(let path): "'\(path)' is missing"
        case .wrongType(let path, let expected): "'\(path)' must be \(expected)"
        }
    }
}
