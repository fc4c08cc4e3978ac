import Testing

@testable import wander

/// A command of wander that stands in a text, made ready for the parser: what stands for a name gets one.
struct CommandText: Hashable, CustomTestStringConvertible {
    /// Without `wander` itself.
    let words: [String]
    /// Where it stands.
    let place: String
    var testDescription: String { "\(place): wander \(words.joined(separator: " "))" }

    /// The commands of a line of text: behind `wander `, up to what ends it in prose.
    /// - Parameter isSource: Whether the text is a literal of the sources, whose beginning may be a sentence about
    ///   wander.
    static func find(in line: String, place: String, isSource: Bool = false) -> [CommandText] {
        var found: [CommandText] = []
        var rest = line[...]
        while let range = rest.firstRange(of: "wander ") {
            let before = range.lowerBound > rest.startIndex ? rest[rest.index(before: range.lowerBound)] : " "
            let isQuoted = before == "'" || before == "`"
            let isTyped = isBehindColon(rest[..<range.lowerBound], isSource) || line.hasPrefix("$ wander ")
            rest = rest[range.upperBound...]
            guard isQuoted || isTyped else { continue }
            let end: Set<Character> = isQuoted ? ["'", "`", "|", "&", ";", ">"] : ["|", "&", ";", ">", "#", ")"]
            var text = String(rest.prefix { !end.contains($0) })
            // A quoted argument has quotes of its own: to the end of the line, then.
            if isTyped, line.hasPrefix("$ "), line.contains("'") {
                text = String(rest.prefix { $0 != "#" && $0 != ">" })
            }
            // A sentence may go on behind the command.
            for end in [". ", ", "] {
                if let range = text.firstRange(of: end) { text = String(text[..<range.lowerBound]) }
            }
            let words = Self.words(text)
            // A verb that is filled in when it is shown is nothing to look at.
            guard let verb = words.first, verb != "name",
                verb.allSatisfy({ $0.isLowercase || $0 == "-" }) || verb.hasPrefix("--")
            else {
                continue
            }
            // A sentence about wander has a verb that is no command, and like none.
            if !isQuoted, let unknown = UnknownVerb.find(in: words), unknown.suggestion == nil { continue }
            found.append(CommandText(words: words.map(Self.concrete), place: place))
        }
        return found
    }

    /// `Create it: wander up`, `and && wander up`, or the line's beginning.
    private static func isBehindColon(_ text: Substring, _ isSource: Bool) -> Bool {
        let trimmed = text.reversed().drop { $0 == " " }
        return trimmed.first == ":" || trimmed.first == "&" || (trimmed.isEmpty && !isSource)
    }

    /// Splits as a shell does, by blanks outside of quotes.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// A word in capitals stands for what a person fills in; brackets and dots are how usage is written.
    private static func concrete(_ word: String) -> String {
        var word = word
        while let last = word.last, [".", ",", ":", "?"].contains(last), word.count > 1 { word.removeLast() }
        switch word {
        case "PORT": return "80"
        case "VERSION": return "1.0"
        case "TOPIC": return "json"
        case "VERB", "COMMAND", "SUBCOMMAND": return "up"
        default:
            let isName = word.count > 1 && word.allSatisfy { $0.isUppercase || $0 == "_" }
            return isName ? word.lowercased() : word
        }
    }
}
