/// libyaml's messages in words that help somebody who edits a file.
public enum YAMLMessage {
    static let unclosedQuote = "this quote is not closed"
    public static let noKey = "this line is no 'key: value'"

    /// - Parameters:
    ///   - byte: What is at the place of the problem.
    ///   - line: The line of that place.
    static func explain(
        problem: String, context: String?, byte: UInt8?, line: String? = nil
    ) -> (message: String, hint: String?) {
        switch problem {
        case "found character that cannot start any token" where byte == UInt8(ascii: "\t"),
            "found a tab character where an indentation space is expected",
            "found a tab character that violates indentation":
            ("a tab character indents this line", "Indent with spaces: YAML does not allow tabs.")
        case "found character that cannot start any token":
            ("a value may not start with this character", "Put the value in quotes.")
        case "mapping values are not allowed in this context":
            ("a ':' is not expected here", "Check the indentation, or put the value in quotes.")
        case "could not find expected ':'":
            (noKey, "Check for a missing ':' or a line that is indented too little.")
        case "did not find expected key":
            ("a key is expected here", "Check the indentation of this line and of the one above.")
        case "did not find expected '-' indicator":
            ("a list item is expected here", "Start it with '- ', indented like the other items.")
        case "did not find expected ',' or ']'": ("the list '[...]' is not closed or lacks a ','", nil)
        case "did not find expected ',' or '}'":
            (
                "the map '{...}' is not closed or lacks a ','",
                // The brace of a variable would end the map.
                line?.contains("${") == true ? "Put quotes around a value with '${...}' in it: \"${NAME}\"." : nil
            )
        case "found unexpected end of stream":
            (unclosedQuote, "Add the closing quote.")
        case "control characters are not allowed": ("a control character is not allowed here", nil)
        case "block sequence entries are not allowed in this context":
            ("a list item is not expected here", "Start the list on a line of its own below its key.")
        case "found unknown escape character":
            ("an unknown escape in a quoted value", "Use single quotes, or write '\\\\' for a backslash.")
        case "found undefined tag handle": ("tags ('!...') are not allowed", "Put the value in quotes.")
        case "did not find expected <document start>":
            ("there is more text after its end", "Check the indentation of this line.")
        default: ([context, problem].compactMap(\.self).joined(separator: ": "), nil)
        }
    }
}
