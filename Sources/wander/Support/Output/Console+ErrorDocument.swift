import JSON
import Reporting

extension Console {
    /// An error as `--json` prints it on standard output.
    static func errorDocument(_ error: any Error) -> JSONValue {
        guard let error = error as? any UserFacingError else {
            return ["schema": 1, "error": ["kind": "failure", "exit": 1, "summary": .string("\(error)")]]
        }
        return [
            "schema": 1,
            "error": [
                "kind": .string(error.kind.rawValue), "exit": .integer(Int64(error.kind.exitStatus)),
                "summary": .string(error.summary), "detail": .optional(error.detail), "remedy": .optional(error.remedy),
            ],
        ]
    }
}
