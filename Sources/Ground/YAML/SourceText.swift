public import Reporting

/// The text of one layer, with what is needed to show any place in it.
public struct SourceText: Hashable, Sendable {
    /// How messages name it: `Wanderfile`, `Wanderfile.local`, `--set`.
    public let label: String
    public let bytes: [UInt8]
    /// The line number that messages give to the first line. Above 1 only for the n-th `--set`.
    public var firstLine = 1
    /// Whether it is an argument of the command line, which is above the environment's variables.
    public var isOverride = false

    public init(label: String, bytes: [UInt8], firstLine: Int = 1, isOverride: Bool = false) {
        self.label = label
        self.isOverride = isOverride
        // Some editors start a file with a byte order mark, which is no part of the text.
        self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
        self.firstLine = firstLine
    }

    public init(label: String, text: String) { self.init(label: label, bytes: Array(text.utf8)) }

    /// Where each line starts, as an index of ``bytes``.
    public var lineStarts: [Int] {
        var starts = [0]
        bytes.withUnsafeBufferPointer { bytes in
            for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") { starts.append(index + 1) }
        }
        return starts
    }

    public func location(of mark: Mark) -> SourceLocation {
        SourceLocation(file: label, line: mark.line + firstLine - 1, column: mark.column)
    }

    /// The text of the line that starts at `start`, without its line break.
    public func line(from start: Int) -> String {
        // A line may be the whole file; more than this is never shown.
        var line = bytes[start...].prefix(16 << 10).prefix { $0 != UInt8(ascii: "\n") }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }
}

/// A place in one of the layers.
public struct Mark: Hashable, Sendable {
    /// Index of the layer in ``Problems/sources``.
    public var source: Int
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in characters.
    public var column: Int
    /// How many characters the caret's underline covers.
    public var length: Int = 1

    public init(source: Int, line: Int, column: Int, length: Int = 1) {
        self.source = source
        self.line = line
        self.column = column
        self.length = length
    }
}
