/// Scripts of a Vagrantfile as a Wanderfile has them.
enum ShellText {
    /// The script without the indentation that the Ruby around it gave it. Vagrant's `bash` runs it, without the options
    /// by which wander's own `sh` stops at a mistake; nil: there is nothing in it.
    static func body(_ text: String) -> String? {
        var lines = text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
            .map { trimmed($0) }
        while lines.first?.isEmpty == true { lines.removeFirst() }
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard !lines.isEmpty else { return nil }
        let common = lines.filter { !$0.isEmpty }.map { indentation($0) }.min() ?? 0
        lines = lines.map { $0.isEmpty ? $0 : $0.dropFirst(common) }
        // A tab that begins a line keeps YAML from showing the script as it is; only a heredoc may need it.
        let needsTabs = lines.contains { $0.contains("<<-") }
        let plain = lines.map { line -> String in
            let tabs = line.prefix { $0 == "\t" }.count
            return needsTabs || tabs == 0 ? String(line) : String(repeating: "    ", count: tabs) + line.dropFirst(tabs)
        }
        if plain[0].hasPrefix("#!") { return plain.joined(separator: "\n") + "\n" }
        if plain.count == 1, isPlainCommand(plain[0]) { return plain[0] }
        return "#!/bin/bash\n" + plain.joined(separator: "\n") + "\n"
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

    static func isVariable(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 128 else { return false }
        return name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
        }
    }

    /// Arguments in one text, as a shell would part them: at spaces that are not in quotes.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var current: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                current = (current ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { current = (current ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                current = current ?? ""
            } else if character.isWhitespace {
                if let word = current { words.append(word) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        return words + (current.map { [$0] } ?? [])
    }

    /// A word that a shell takes as it is.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || "_./:=+,@%-".utf8.contains(byte)
            }
        if isPlain { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
