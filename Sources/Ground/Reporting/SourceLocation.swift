/// A place in a text file that a person wrote.
public struct SourceLocation: Hashable, Sendable {
    /// The file as the user named it, to be shown as it is.
    public var file: String
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in characters.
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension SourceLocation: CustomStringConvertible {
    /// `Wanderfile:12:7`, the form that editors and terminals make clickable.
    public var description: String { "\(file):\(line):\(column)" }
}
