import Testing
import YAML

@testable import EnvFile

/// Every word of the tables of other tools' words, and not only the ones that have a test of their own.
@Suite struct ForeignTableTests {
    private static let types: [ObjectType] = [
        .project, .machine, .box, .ssh, .port, .share, .attachment, .provisioner, .probe, .provider, .network, .include,
    ]
    static let rows = types.flatMap { type in type.foreign.keys.sorted().map { (type.title, $0) } }

    private static func values() -> [Node] {
        let mark = Mark(source: 0, line: 1, column: 1)
        func scalar(_ text: String) -> Node { Node(content: .scalar(text, isPlain: true), mark: mark) }
        return ["", "x", "2", "true", "8080:80", ".:/srv", "10.0.0.5"].map(scalar) + [
            .sequence([scalar("a"), scalar("/b")], at: mark),
            .mapping([Node.Entry(name: "guest", mark: mark, value: scalar("80"))], at: mark),
        ]
    }

    @Test("each word is none of ours, and its advice is a sentence about keys that there are", arguments: rows)
    func row(title: String, name: String) throws {
        let type = try #require(Self.types.first { $0.title == title })
        let foreign = try #require(type.foreign[name])
        #expect(type.key(name) == nil, "'\(name)' is a key of \(title)")
        switch foreign {
        case .key(let key), .size(let key, _): #expect(type.key(key) != nil, "\(title): \(name): \(key)")
        case .line, .words: break
        }
        for value in Self.values() {
            let advice = foreign.advice(for: value)
            #expect(advice.hasSuffix(".") || advice.hasSuffix("?"), "\(title): \(name): \(advice)")
            guard advice.hasPrefix("Write '"), let key = advice.dropFirst(7).split(separator: ":").first else {
                continue
            }
            let known = Self.types.contains { $0.key(String(key)) != nil || $0.key(String(key.dropFirst(2))) != nil }
            #expect(known || key.hasPrefix("cd FOLDER") || key.hasPrefix("{ "), "\(title): \(name): \(advice)")
        }
    }

    @Test("the tables are as long as the tools are many")
    func count() { #expect(Self.rows.count > 250) }
}
