/// Columns of text, each as wide as its widest cell.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String] = []) { rows = header.isEmpty ? [] : [header] }

    /// Takes out the columns that have nothing below their header.
    mutating func removeEmptyColumns() {
        guard let header = rows.first else { return }
        let kept = header.indices.filter { column in
            rows.dropFirst().contains { column < $0.count && !$0[column].isEmpty }
        }
        rows = rows.map { row in kept.filter { $0 < row.count }.map { row[$0] } }
    }

    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The rows, cells two spaces apart, without blanks at the ends of lines.
    var rendered: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
