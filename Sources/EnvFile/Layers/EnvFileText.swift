import YAML

/// Files of `NAME=value` lines, as `env_files` lists them.
enum EnvFileText {
    /// Comments start with '#'; values may stand in single quotes (left as they are) or double quotes (with `\n`, `\"`,
    /// `\\`); `export ` before a name is skipped. Nothing is filled in.
    static func read(_ source: Int, problems: Problems) -> [String: String] {
        guard TextCheck.isReadable(problems.sources[source], source: source, problems: problems) else { return [:] }
        var result: [String: String] = [:]
        let lines = problems.sources[source].bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            let raw = String(decoding: bytes, as: UTF8.self)
            var line = trim(raw[...])
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("export ") { line = trim(line.dropFirst(7)) }
            let mark = Mark(source: source, line: index + 1, column: 1, length: raw.count)
            guard let equals = line.firstIndex(of: "=") else {
                problems.report("this line is no 'NAME=value'", at: mark)
                continue
            }
            let name = line[..<equals]
            guard ScalarType.isVariableName(name) else {
                problems.report("'\(name.prefix(64))' is no name of a variable", at: mark)
                continue
            }
            guard let value = value(trim(line[line.index(after: equals)...])) else {
                problems.report("a quote is not closed", at: mark)
                continue
            }
            result[String(name)] = value
        }
        return result
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        return text
    }

    private static func value(_ text: Substring) -> String? {
        switch text.first {
        case "'":
            let inner = text.dropFirst()
            return inner.firstIndex(of: "'").map { String(inner[..<$0]) }
        case "\"":
            var result = ""
            var isEscaped = false
            for character in text.dropFirst() {
                if isEscaped {
                    result.append(character == "n" ? "\n" : character == "t" ? "\t" : character)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    return result
                } else {
                    result.append(character)
                }
            }
            return nil
        default:
            // A comment needs a space before it, so that `#` may stand in a value.
            var previous: Character = " "
            var end = text.startIndex
            while end < text.endIndex {
                if text[end] == "#", previous == " " || previous == "\t" { break }
                previous = text[end]
                end = text.index(after: end)
            }
            return String(trim(text[..<end]))
        }
    }
}
