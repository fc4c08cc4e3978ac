import RubyReader

/// What became of a line of a file that was imported.
public struct ImportRemark: Hashable, Sendable {
    public enum Kind: String, Sendable {
        /// It is in the Wanderfile.
        case taken
        /// It is there in another way, or another value is.
        case changed
        /// It is not there.
        case dropped
    }

    public var kind: Kind
    /// Counted from 1; 0: the file as a whole.
    public var line: Int
    /// What it is called there, such as `vm.box`.
    public var subject: String
    /// What became of it, without a full stop.
    public var text: String
    /// Whether the machines are not what they were without it.
    public var isImportant = false
}

/// Collects what is to be told. Each thing is told once, however many machines it is about.
final class ImportRemarks {
    private static let limit = 2000
    private(set) var all: [ImportRemark] = []
    private var known: Set<ImportRemark> = []

    func taken(_ subject: String, as text: String, at line: Int) { add(.taken, subject, text, line, false) }
    func changed(_ subject: String, _ text: String, at line: Int) { add(.changed, subject, text, line, false) }
    /// - Parameter isImportant: Whether the machines are not what they were without it.
    func dropped(_ subject: String, _ text: String, at line: Int, isImportant: Bool = true) {
        add(.dropped, subject, text, line, isImportant)
    }

    private func add(_ kind: ImportRemark.Kind, _ subject: String, _ text: String, _ line: Int, _ isImportant: Bool) {
        let remark = ImportRemark(
            kind: kind, line: line, subject: OneLine.text(RubyPlaceholder.withoutVariables(subject), limit: 80),
            text: OneLine.text(RubyPlaceholder.withoutVariables(text), limit: 300), isImportant: isImportant)
        guard all.count < Self.limit, known.insert(remark).inserted else { return }
        all.append(remark)
    }

    /// In the order of the lines.
    var sorted: [ImportRemark] {
        all.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(\.element)
    }
}
