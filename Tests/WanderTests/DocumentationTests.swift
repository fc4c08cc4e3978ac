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

    @Test("what ARCHITECTURE.md names as places to change is there")
    func places() {
        let words = Self.text("ARCHITECTURE.md").split(separator: "`", omittingEmptySubsequences: false)
        let places = words.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }.filter {
            $0.hasPrefix("Sources/") || $0.hasPrefix("Tests/")
        }
        #expect(places.count > 15)
        for place in places {
            let path = place.split(separator: " ").first.map(String.init) ?? place
            #expect(!FileSystem.isAbsent(Self.root.pushing(FilePath(path))), "\(path)")
        }
    }

    /// The pages of documentation.
    static let pages = ((try? FileSystem.list(root.appending("docs"))) ?? []).sorted().map { "docs/\($0)" }

    /// Where people read first.
    static let documents: [CommandText] =
        (["README.md", "Wanderfile.example", "boxes/README.md", "ARCHITECTURE.md"] + pages)
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

    /// Every source, by its place.
    private static let sources: [(place: String, text: String)] = {
        var found: [(String, String)] = []
        func visit(_ place: String) {
            for name in ((try? FileSystem.list(root.pushing(FilePath(place)))) ?? []).sorted() {
                let path = "\(place)/\(name)"
                if (try? FileSystem.isDirectory(root.pushing(FilePath(path)))) == true {
                    visit(path)
                } else if name.hasSuffix(".swift") {
                    found.append((path, text(path)))
                }
            }
        }
        visit("Sources")
        return found
    }()

    /// Every text in the sources that names a command: what errors advise, first of all.
    static let advice: [CommandText] = {
        var found: Set<CommandText> = []
        for (place, text) in sources {
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for literal in literals(String(line)) {
                    found.formUnion(CommandText.find(in: literal, place: "\(place):\(number + 1)", isSource: true))
                }
            }
        }
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

    @Test("no command that README and the pages type is overlooked")
    func typed() {
        let typed = (["README.md"] + Self.pages).flatMap { page in
            Self.text(page).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
                .filter { $0.element.hasPrefix("$ wander ") }.map { "\(page):\($0.offset + 1)" }
        }
        #expect(typed.count > 30)
        #expect(Set(typed).isSubset(of: Self.documents.map(\.place)))
    }

    @Test("README and the pages lead to files that are there")
    func links() throws {
        #expect(Self.pages.count > 6)
        for page in ["README.md", "ARCHITECTURE.md", "boxes/README.md"] + Self.pages {
            let text = Self.text(page)
            for link in text.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/) {
                let place = Self.root.pushing(FilePath(page)).removingLastComponent().pushing(FilePath(String(link.1)))
                #expect(try FileSystem.exists(place), "\(page): \(link.1)")
            }
        }
    }

    @Test("every message that the page about trouble explains is one that wander prints")
    func messages() throws {
        let page = Self.text("docs/troubleshooting.md")
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count > 8)
        let sources = Self.sources.map(\.text).joined(separator: "\n")
        for row in rows {
            let message = row.split(separator: "`")[1]
            for part in message.split(separator: " ... ") where !part.isEmpty {
                #expect(sources.contains(part), "\(message)")
            }
        }
    }

    @Test("README names every command, and no other")
    func verbs() throws {
        let text = Self.text("README.md")
        let start = try #require(text.firstRange(of: "## Commands"))
        let paragraph = try #require(text[start.upperBound...].split(separator: "\n\n").first)
        var named: Set<String> = []
        for (index, part) in paragraph.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            // Between backticks; what begins with the program's name is an example.
            guard index % 2 == 1, !part.hasPrefix("wander "), !part.hasPrefix("-"), !part.contains("'") else {
                continue
            }
            named.formUnion(part.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0 != "..." })
        }
        let verbs = Set(Wander.configuration.allSubcommands.filter { $0.configuration.shouldDisplay }.map { $0.verb })
        #expect(named == verbs.subtracting(["help"]))
    }

    @Test("the Wanderfile's page is what the schema says today; 'make docs' writes it")
    func wanderfile() {
        #expect(Self.text("docs/wanderfile.md") == Page.wanderfileMarkdown)
    }

    @Test("a mistake is reported as the Wanderfile's page shows it")
    func mistake() throws {
        let text = Self.text("docs/wanderfile.md")
        let start = try #require(text.firstRange(of: "$ wander validate\n"))
        let sample = text[start.upperBound...].split(separator: "```")[0].split(separator: "\n").map(String.init)
        try #require(sample.count == 4)
        let line = String(sample[1].dropFirst(4))
        let folder = try ProjectFolder(wanderfile: "defaults: { box: team/base }\nmachines:\n\(line)\n")
        let said = try folder.wander.run("validate")
        #expect(said.status == 2)
        let shown = (said.output + said.error).split(separator: "\n").map(String.init)
        #expect(shown.dropFirst() == sample.dropFirst())
        let column = try #require(sample[2].firstIndex(of: "^")).utf16Offset(in: sample[2]) - 4 + 1
        #expect(shown.first == "Wanderfile:3:\(column): error: unknown key 'memry' in a machine")
        #expect(sample.first?.hasSuffix(": error: unknown key 'memry' in a machine") == true)
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
