public import Reporting

/// Collects every problem of one load, so that a user sees all of them at once. Used by one thread.
public final class Problems {
    /// More would only scroll the first, which matter most, off the screen.
    public static let limit = 100

    /// The first stands for values that no layer holds.
    public private(set) var sources = [SourceText(label: "built-in", text: "")]
    public private(set) var diagnostics: [Diagnostic] = []
    /// Problems beyond ``limit``, counted only.
    public private(set) var unreported = 0
    private var seen: Set<Diagnostic> = []
    private var mentioned: Set<String> = []
    private var lineStarts: [Int: [Int]] = [:]

    public init() {}

    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    public func hasErrors(in source: Int) -> Bool {
        let label = sources[source].label
        return diagnostics.contains { $0.severity == .error && $0.location?.file == label }
    }

    /// Whether `subject` is asked about for the first time: what is long to tell is told once.
    public func isFirstMention(of subject: String) -> Bool { mentioned.insert(subject).inserted }

    /// Registers a layer; its index goes into the marks of its nodes.
    public func add(_ source: SourceText) -> Int {
        sources.append(source)
        return sources.count - 1
    }

    /// - Parameter mark: nil for a problem of a whole file, whose name the message then holds.
    public func report(
        _ message: String, hint: String? = nil, at mark: Mark?, severity: Diagnostic.Severity = .error
    ) {
        guard diagnostics.count < Self.limit else {
            unreported += 1
            return
        }
        let diagnostic = Diagnostic(
            severity, message, hint: hint, at: mark.map(location), sourceLine: mark.flatMap(sourceLine),
            length: mark?.length ?? 1)
        // Machines made by `count`, and defaults that several machines share, are read once for each of them.
        if seen.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }

    /// Takes back what was reported after the first `count` problems, for whoever knows better what is wrong.
    public func takeBack(to count: Int) {
        for diagnostic in diagnostics.dropFirst(count) { seen.remove(diagnostic) }
        diagnostics.removeLast(max(0, diagnostics.count - count))
    }

    public func location(_ mark: Mark) -> SourceLocation { sources[mark.source].location(of: mark) }

    /// The line that `mark` points into.
    public func sourceLine(_ mark: Mark) -> String? {
        let starts = lineStarts[mark.source] ?? sources[mark.source].lineStarts
        lineStarts[mark.source] = starts
        return starts.indices.contains(mark.line - 1) ? sources[mark.source].line(from: starts[mark.line - 1]) : nil
    }

    /// In the order of the layers, then of the lines.
    public var sorted: [Diagnostic] { diagnostics.inOrder(of: sources) }
}

extension [Diagnostic] {
    /// As the layers have them, from the first to the last line of each.
    public func inOrder(of sources: [SourceText]) -> [Diagnostic] {
        let rank = Dictionary(sources.enumerated().map { ($1.label, $0) }, uniquingKeysWith: Swift.min)
        func key(_ diagnostic: Diagnostic) -> (Int, Int, Int) {
            guard let location = diagnostic.location else { return (-1, 0, 0) }
            return (rank[location.file] ?? 0, location.line, location.column)
        }
        return sorted { key($0) < key($1) }
    }
}
