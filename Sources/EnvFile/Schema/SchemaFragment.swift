import JSON

/// Pieces of the JSON Schema that several types share.
enum SchemaFragment {
    /// Scalars stay text here, so that `no` and `1.10` are fine where text is wanted.
    static let text: JSONValue = ["type": ["string", "number", "boolean"]]

    /// Where a pattern admits a text, `${NAME}` inside of it must pass too.
    static let variable = #"\$\{"#

    static func pattern(_ expression: String) -> JSONValue {
        ["type": "string", "pattern": .string("^(\(expression))$|\(variable)")]
    }

    static func integer(_ range: ClosedRange<Int>) -> JSONValue {
        [
            "anyOf": [
                [
                    "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                    "maximum": .integer(Int64(range.upperBound)),
                ],
                ["type": "string", "pattern": .string("^[0-9]+$|\(variable)")],
            ]
        ]
    }
}
