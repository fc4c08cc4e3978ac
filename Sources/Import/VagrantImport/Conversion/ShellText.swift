/// Scripts of a Vagrantfile as a Wanderfile has them.
enum ShellText {
    /// The script without the indentation that the Ruby around it gave it. Vagrant's `bash` runs it, without the options
    /// by which wander's own `sh` stops at a mistake; nil: there is nothing in it.
    static func body(_ text: String) -> String? {
        let text = text.replacing("\r\n", with: "\n")
        let (hasDocument, hasQuotedLine) = texts(in: text)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while lines.first.map({ trimmed($0).isEmpty }) == true { lines.removeFirst() }
        while lines.last.map({ trimmed($0).isEmpty }) == true { lines.removeLast() }
        guard !lines.isEmpty else { return nil }
        // Blanks at both ends of a line are a part of a text that goes over several lines, and of a heredoc.
        if !hasDocument, !hasQuotedLine { lines = lines.map { trimmed($0) } }
        if !hasQuotedLine {
            let common = lines.filter { !trimmed($0).isEmpty }.map { indentation($0) }.min() ?? 0
            lines = lines.map { $0.dropFirst(min(common, indentation($0))) }
        }
        // A tab that begins a line keeps YAML from showing the script as it is.
        let plain = lines.map { line -> String in
            let tabs = line.prefix { $0 == "\t" }.count
            return hasDocument || hasQuotedLine || tabs == 0
                ? String(line) : String(repeating: "    ", count: tabs) + line.dropFirst(tabs)
        }
        if plain[0].hasPrefix("#!") { return plain.joined(separator: "\n") + "\n" }
        if plain.count == 1, isPlainCommand(plain[0]) { return plain[0] }
        return "#!/bin/bash\n" + plain.joined(separator: "\n") + "\n"
    }

    /// Whether a heredoc is in a script, and whether a text in quotes goes on in the next line.
    private static func texts(in script: String) -> (hasDocument: Bool, hasQuotedLine: Bool) {
        var quote: UInt8?
        var previous: UInt8 = 0x0a
        var isEscaped = false
        var isComment = false
        for byte in script.utf8 {
            defer { previous = byte }
            if byte == 0x0a {
                if quote != nil { return (script.contains("<<"), true) }
                isComment = false
            } else if isEscaped || isComment {
                isEscaped = false
            } else if byte == 0x5c, quote != 0x27 {
                isEscaped = true
            } else if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 0x22 || byte == 0x27 {
                quote = byte
            } else if byte == 0x23, [0x0a, 0x20, 0x09, 0x3b].contains(previous) {
                isComment = true
            }
        }
        return (script.contains("<<"), false)
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line
        while line.last == " " || line.last == "\t" || line.last == "\r" { line.removeLast() }
        return line
    }

    private static func indentation(_ line: Substring) -> Int { line.prefix { $0 == " " || $0 == "\t" }.count }

    /// One command with plain words, which every shell understands alike.
    private static func isPlainCommand(_ text: String) -> Bool {
        let first = text.prefix { $0 != " " }
        return !["source", ".", "pushd", "popd", "shopt", "set", "declare", "function"].contains(String(first))
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || " _./:=+,@%-\"'&".utf8.contains(byte)
            } && !text.contains("&&") == !text.contains("&") && !text.hasPrefix("echo -")
    }

    /// A script that the machine fetches and runs.
    static func fetched(from address: String, sum: String?) -> String {
        let quoted =
            "'" + address.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        let place = address.contains("${") ? "\"" + address.filter { $0 != "\"" && $0 != "`" } + "\"" : quoted
        let isSum = sum.map { $0.utf8.count == 64 && $0.allSatisfy(\.isHexDigit) } ?? false
        return """
            #!/bin/bash
            set -e
            script=$(mktemp)
            curl -fsSL \(place) -o "$script" || wget -qO "$script" \(place)
            \(isSum ? "echo \"\(sum ?? "")  $script\" | sha256sum -c -\n" : "")chmod 755 "$script"
            "$script" "$@"

            """
    }
}
