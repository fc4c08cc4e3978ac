/// A value of a Ruby file that is read, as far as it is known.
public enum RubyValue {
    case null
    case flag(Bool)
    case integer(Int64)
    case decimal(Double)
    /// May have variables of the environment in it: ``RubyPlaceholder``.
    case string(String)
    case symbol(String)
    case pattern(String, flags: String)
    case list(RubyList)
    case table(RubyTable)
    /// Whole numbers; the upper end counts.
    case range(Int64, Int64)
    /// A variable of the environment for which the file has no other value.
    case environment(String)
    case procedure(RubyProcedure)
    case object(any RubyObject)
    /// What is not known here.
    case unknown(RubyUnknown)
}

/// Why a value is not known.
public struct RubyUnknown: Hashable, Sendable {
    public var line: Int
    /// A clause, such as `'Socket.gethostname' is not known here`.
    public var reason: String
    /// Whether it follows from a file that was not read.
    public var isOfFile = false
    /// Of a text: its other parts.
    public var known = ""
}
