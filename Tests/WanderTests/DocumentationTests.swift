import ArgumentParser
import LinuxSystem
import Reporting
import SystemPackage
import Testing

@testable import wander

/// What texts tell people to type is understood: README, the example, help, and what errors advise.
@Suite struct DocumentationTests {
    static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    private static func text(_ path: String) -> String {
        let bytes = (try? FileSystem.read(root.pushing(FilePath(path)), limit: 4 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func commands(in text: String, place: String) -> [CommandText] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
            CommandText.find(in: String(line.drop { $0 == " " || $0 == "#" }), place: "\(place):\(number + 1)")
        }
    }

    /// Where people read first.
    static let documents: [CommandText] = ["README.md", "Wanderfile.example", "boxes/README.md", "ARCHITECTURE.md"]
        .flatMap { commands(in: text($0), place: $0) }

    /// Every page of help that there is.
    static let help: [CommandText] = {
        guard let root = try? CommandDescription.wander() else { return [] }
        func pages(_ command: CommandDescription) -> [CommandText] {
            let texts = [command.abstract, command.discussion] + command.arguments.map(\.abstract)
            return commands(in: texts.joined(separator: "\n"), place: "help of \(command.path)")
                + command.subcommands.flatMap(pages)
        }
        return pages(root) + HelpTopics.topics.flatMap { commands(in: $0.text(), place: "topic \($0.name)") }
    }()

    /// Every text in the sources that names a command: what errors advise, first of all.
    static let advice: [CommandText] = {
        var found: Set<CommandText> = []
        func visit(_ folder: FilePath, _ place: String) {
            for name in (try? FileSystem.list(folder)) ?? [] {
                let path = folder.appending(name)
                if (try? FileSystem.isDirectory(path)) == true {
                    visit(path, "\(place)/\(name)")
                } else if name.hasSuffix(".swift") {
                    let bytes = (try? FileSystem.read(path, limit: 1 << 20)) ?? []
                    let lines = String(decoding: bytes, as: UTF8.self).split(
                        separator: "\n", omittingEmptySubsequences: false)
                    for (number, line) in lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                        for literal in literals(String(line)) {
                            found.formUnion(
                                CommandText.find(in: literal, place: "\(place)/\(name):\(number + 1)", isSource: true))
                        }
                    }
                }
            }
        }
        visit(root.appending("Sources"), "Sources")
        return found.sorted { $0.place < $1.place }
    }()

    /// The string literals of a line, with a name for each interpolation.
    private static func literals(_ line: String) -> [String] {
        var literals: [String] = []
        var current: String?
        var depth = 0
        var isEscaped = false
        for character in line {
            if depth > 0 {
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                continue
            }
            guard var text = current else {
                if character == "\"" { current = "" }
                continue
            }
            if isEscaped {
                isEscaped = false
                if character == "(" {
                    depth = 1
                    text += text.hasSuffix("--box-version ") ? "1.0" : "name"
                } else {
                    text.append(character == "n" ? "\n" : character)
                }
                current = text
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                literals += text.split(separator: "\n").map(String.init)
                current = nil
            } else {
                current = text + String(character)
            }
        }
        return literals
    }

    @Test("there is something to look at")
    func something() {
        #expect(Self.documents.count > 20, "\(Self.documents)")
        #expect(Self.help.count > 20, "\(Self.help)")
        #expect(Self.advice.count > 40, "\(Self.advice)")
    }

    @Test("each command is one that the parser takes", arguments: documents + help + advice)
    func parses(command: CommandText) throws {
        let words = CommandLineRewriter.rewrite(command.words)
        if words.first == "help" {
            let topics = HelpTopics.topics.map(\.name) + ["topics"]
            let isKnown = words.count < 2 || topics.contains(words[1]) || words[1] == "name"
            try #require(isKnown || UnknownVerb.find(in: Array(words.dropFirst())) == nil)
            return
        }
        try #require(UnknownVerb.find(in: words) == nil)
        do {
            _ = try Wander.parseAsRoot(words)
        } catch {
            // `--help` and its like are no mistakes; and a sentence may name a command without what it needs.
            let message = Wander.fullMessage(for: error)
            let isIncomplete = message.hasPrefix("Error: Missing ") || message.hasPrefix("Error: Give a name")
            #expect(Wander.exitCode(for: error).isSuccess || isIncomplete, "\(message)")
        }
    }

    @Test("what an unknown verb or option suggests exists")
    func suggestions() {
        for (word, command) in UnknownVerb.elsewhere {
            #expect(UnknownVerb.find(in: [word]) != nil, "'\(word)' is a command by now")
            let verb = command.split(separator: " ").first.map(String.init) ?? ""
            #expect(UnknownVerb.find(in: [verb]) == nil, "\(word): \(command)")
        }
        for word in UnknownVerb.explanations.keys { #expect(UnknownVerb.find(in: [word]) != nil, "\(word)") }
        #expect(
            UsageMistake("Error: Unknown option '--only'. Did you mean '--file'?").remedy?.contains("wander up NAME")
                == true)
        #expect(!UsageMistake("Error: Unknown option '--only'. Did you mean '--file'?").summary.contains("--file"))
        #expect(UsageMistake("Error: Unknown option '--jsn'. Did you mean '--json'?").summary.contains("--json"))
    }
}
