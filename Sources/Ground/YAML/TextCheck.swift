/// Distinguishes text that may be YAML from everything else that people point `-f` at.
public enum TextCheck {
    /// Reports what is wrong with the whole text, if anything.
    public static func isReadable(_ source: SourceText, source index: Int, problems: Problems) -> Bool {
        guard source.bytes.count <= YAMLLimits.fileSize else {
            problems.report("\(source.label) has more than 1 MiB, which is too long", at: nil)
            return false
        }
        if let zero = source.bytes.firstIndex(of: 0) {
            problems.report("\(source.label) is not a text file: byte \(zero) is zero", at: nil)
            return false
        }
        guard String(validating: source.bytes, as: UTF8.self) != nil else {
            let mark = firstInvalid(source.bytes, source: index)
            problems.report("this is not UTF-8", hint: "Save the file with the encoding UTF-8.", at: mark)
            return false
        }
        return true
    }

    private static func firstInvalid(_ bytes: [UInt8], source: Int) -> Mark {
        var line = 1
        var column = 1
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        while case .valid(let unit) = decoder.parseScalar(from: &iterator) {
            if unit.elementsEqual([UInt8(ascii: "\n")]) {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return Mark(source: source, line: line, column: column)
    }
}
