/// What a file may cost to read. Hostile files end at one of these limits, with bounded time and memory.
public enum RubyLimits {
    /// In bytes.
    public static let fileSize = 1 << 20
    /// Of expressions and blocks in each other.
    static let nesting = 60
    /// Of operators and calls that continue others in one statement, `a + b + c` and `a.b.c`.
    static let links = 500
    /// Of interpolations in each other.
    static let interpolation = 4
    /// Of expressions that are evaluated inside of each other, calls of the file's own functions counted in full.
    static let depth = 160
    /// Of expressions that are evaluated.
    static let steps = 100_000
    /// Of all texts that are made, in bytes.
    static let textBytes = 4 << 20
    /// Of all items that lists and tables are made of.
    static let items = 50_000
    /// Of what is told about a file.
    static let remarks = 1000
}
