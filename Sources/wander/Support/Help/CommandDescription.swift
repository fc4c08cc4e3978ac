import ArgumentParser
import JSON

/// A command as its definitions describe it: what help, the manual page and tests are made from.
struct CommandDescription {
    struct Argument {
        /// As a person types it: `-n, --lines <lines>`.
        let spelling: String
        /// In the usage line: `[--lines <lines>]`.
        let usage: String
        let abstract: String
        let isPositional: Bool
        /// Whether every command takes it.
        let isGlobal: Bool
        let isShown: Bool
    }

    /// All words that name it: `wander box list`.
    let path: String
    let abstract: String
    let discussion: String
    let arguments: [Argument]
    let subcommands: [CommandDescription]
    let isShown: Bool

    /// The whole of wander.
    static func wander() throws -> CommandDescription {
        CommandDescription(try JSONParser.parse(Wander._dumpHelp())["command"] ?? .null, parent: nil)
    }

    private init(_ json: JSONValue, parent: String?) {
        let name = json["commandName"]?.stringValue ?? ""
        let path = parent.map { "\($0) \(name)" } ?? name
        self.path = path
        abstract = json["abstract"]?.stringValue ?? ""
        discussion = json["discussion"]?.stringValue ?? ""
        arguments = (json["arguments"]?.arrayValue ?? []).map(Argument.init)
        subcommands = (json["subcommands"]?.arrayValue ?? []).map { CommandDescription($0, parent: path) }
        // Its own help is no verb to learn.
        isShown = json["shouldDisplay"]?.boolValue != false && name != "help"
    }

    /// The command that the words name, as far as they name one.
    func find(_ words: some Sequence<Substring>) -> CommandDescription {
        var found = self
        for word in words {
            guard let next = found.subcommands.first(where: { $0.path == "\(found.path) \(word)" }) else { break }
            found = next
        }
        return found
    }
}

extension CommandDescription.Argument {
    /// The long names of what ``GlobalOptions`` and ``ProjectOptions`` define, and of help itself.
    static let globalNames: Set<String> = [
        "json", "color", "progress", "yes", "no-input", "quiet", "verbose", "debug", "file", "set", "help", "version",
    ]

    init(_ json: JSONValue) {
        let value = json["valueName"]?.stringValue ?? "value"
        let isOption = json["kind"]?.stringValue == "option"
        let isRepeating = json["isRepeating"]?.boolValue == true
        isPositional = json["kind"]?.stringValue == "positional"
        abstract = json["abstract"]?.stringValue ?? ""
        isShown = json["shouldDisplay"]?.boolValue != false
        let names = (json["names"]?.arrayValue ?? []).compactMap { name -> (text: String, isLong: Bool)? in
            name["name"]?.stringValue.map { ($0, name["kind"]?.stringValue == "long") }
        }.sorted { !$0.isLong && $1.isLong }
        isGlobal = names.contains { $0.isLong && Self.globalNames.contains($0.text) }
        let spelled = names.map { $0.isLong ? "--\($0.text)" : "-\($0.text)" }
        spelling = isPositional ? "<\(value)>" : spelled.joined(separator: ", ") + (isOption ? " <\(value)>" : "")
        // Only what comes after '--' is taken for it.
        let isAfterDashes = json["parsingStrategy"]?.stringValue == "postTerminator"
        let short = isPositional ? "<\(value)>" : (spelled.last ?? "") + (isOption ? " <\(value)>" : "")
        let dots = isRepeating && (isPositional || isOption) ? "..." : ""
        let isOptional = json["isOptional"]?.boolValue == true
        usage =
            isAfterDashes ? "[-- \(short)\(dots)]" : isOptional ? "[\(short)]\(dots)" : "\(short)\(dots)"
    }
}
