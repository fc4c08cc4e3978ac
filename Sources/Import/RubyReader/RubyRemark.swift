/// Something that a reader of a Ruby file did not do.
public struct RubyRemark: Hashable, Sendable {
    public enum Kind: Sendable {
        /// The file's text could not be read here.
        case unread
        /// A condition could not be decided, and a branch was taken all the same.
        case undecided
        /// A value was taken for now that could be another one later.
        case fixed
        /// Something would be done on the host, or is not known; it was left out.
        case skipped
        /// The same, and something that the file is read for is in it, or follows from a file that was not read.
        case lost
        /// The file would end here, and was read on.
        case ended
        /// The rest of the file was not read.
        case limit
    }

    /// Counted from 1.
    public var line: Int
    public var kind: Kind
    /// A clause without a full stop.
    public var text: String
}
