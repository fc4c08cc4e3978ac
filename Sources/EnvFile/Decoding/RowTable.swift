import JSON
import YAML

/// What `for_each` takes: a map of rows, each with its columns or a single value; a list of names; a range of numbers.
enum RowTable {
    static let limit = EnvironmentBuilder.machineLimit

    static let schema: JSONValue = {
        let key: JSONValue = ["type": ["string", "integer"]]
        let columns: JSONValue = [
            "type": "object", "propertyNames": ["pattern": .string(MapNames.variables.pattern)],
            "additionalProperties": SchemaFragment.text,
        ]
        return [
            "anyOf": [
                range.schema, ["type": "array", "items": key, "maxItems": .integer(Int64(limit))],
                [
                    "type": "object", "propertyNames": ["pattern": .string(MapNames.rows.pattern)],
                    "additionalProperties": ["anyOf": [["type": "null"], SchemaFragment.text, columns]],
                ],
            ]
        ]
    }()

    static let range = ScalarType(
        expected: "a map of rows by name, a list of names, or a range such as 1-3",
        schema: SchemaFragment.pattern("[0-9]+-[0-9]+")
    ) { text in
        if let keys = keys(ofRange: text) {
            return keys.count <= limit
                ? .value(.text(text)) : .problem("makes more than \(limit) machines")
        }
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return .wrong(hint: "Write 'count: \(text)', or 'for_each: 1-\(text)'.")
        }
        // As in Ruby.
        let ends = text.filter { !"() ".contains($0) }.split(separator: ".").joined(separator: "-")
        if text.contains(".."), keys(ofRange: ends) != nil { return .other(ends) }
        return .wrong(hint: ScalarType.isRowKey(text) ? "Write 'for_each: [\(text)]'." : nil)
    }

    /// `1`, `2`, `3` for `1-3`; with as many digits as the first one has, where that begins with a zero. A range that is
    /// too long gives one more than there may be; nil: this is not a range.
    static func keys(ofRange text: String) -> [String]? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ (1...9).contains($0.utf8.count) }),
            ends.joined().utf8.allSatisfy({ (0x30...0x39).contains($0) }), let first = Int(ends[0]),
            let last = Int(ends[1]), first <= last
        else { return nil }
        let width = ends[0].hasPrefix("0") ? ends[0].utf8.count : 0
        return (first...min(last, first + limit)).map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
    }
}

extension ValueReader {
    /// A map from the names of the rows to their columns; a row without columns has the column `value`.
    mutating func readRows(_ node: Node, path: String) -> Value? {
        if let entries = node.mapping {
            let rows = entries.map { entry in
                guard entry.value.mapping == nil, !entry.value.isNull else { return entry }
                let value = Node.Entry(name: "value", mark: entry.value.mark, value: entry.value)
                return Node.Entry(name: entry.name, mark: entry.mark, value: .mapping([value], at: entry.value.mark))
            }
            return readTable(rows, mark: node.mark, path: path)
        }
        var keys: [(text: String, mark: Mark)] = []
        if let items = node.sequence {
            for item in items {
                guard item.mapping == nil else {
                    problems.report(
                        "a row of 'for_each' must be a name, not a map",
                        hint: "Write rows with columns as a map: 'web: { ip: 10.77.0.10 }'.", at: item.mark)
                    return nil
                }
                guard let value = read(item, as: .scalar(.rowKey), path: path), let text = value.text else {
                    if item.isNull { problems.report("an item of 'for_each' is empty", at: item.mark) }
                    return nil
                }
                keys.append((text, item.mark))
            }
        } else {
            guard let range = read(node, as: .scalar(RowTable.range), path: path)?.text else { return nil }
            keys = (RowTable.keys(ofRange: range) ?? []).map { ($0, node.mark) }
        }
        let rows = keys.map { key in
            let value = Node(content: .scalar(key.text, isPlain: false), mark: key.mark)
            return Node.Entry(
                name: key.text, mark: key.mark,
                value: .mapping([Node.Entry(name: "value", mark: key.mark, value: value)], at: key.mark))
        }
        return readTable(rows, mark: node.mark, path: path)
    }

    private mutating func readTable(_ rows: [Node.Entry], mark: Mark, path: String) -> Value? {
        var seen: Set<String> = []
        for row in rows where !seen.insert(row.name).inserted {
            problems.report("the row '\(row.name)' is there twice", at: row.mark)
            return nil
        }
        for row in rows {
            guard let column = row.value.mapping?.first(where: { $0.name == "key" }) else { continue }
            problems.report(
                "'key' is the name of the row itself", hint: "Give the column another name.", at: column.mark)
            return nil
        }
        guard !rows.isEmpty, rows.count <= RowTable.limit else {
            problems.report(
                rows.isEmpty ? "'for_each' has no rows" : "'for_each' makes more than \(RowTable.limit) machines",
                at: mark)
            return nil
        }
        let before = problems.diagnostics.count + problems.unreported
        let columns = ValueType.map(.variables, .scalar(.paragraph))
        let named = rows.map { row in
            row.value.isNull ? Node.Entry(name: row.name, mark: row.mark, value: .mapping([], at: row.mark)) : row
        }
        let table = read(.mapping(named, at: mark), as: .map(.rows, columns), path: path)
        return problems.diagnostics.count + problems.unreported == before ? table : nil
    }
}
