import JSON
import SystemPackage
import Testing
import YAML

@testable import EnvFile

@Suite struct JSONSchemaTests {
    @Test("every example is valid by the schema, and so is its configuration", arguments: Fixtures.examples + [""])
    func examples(name: String) throws {
        let file = name.isEmpty ? Fixtures.repository.appending("Wanderfile.example") : Fixtures.example(name)
        #expect(try failure(Fixtures.text(file)) == nil)
        var options = EnvironmentLoader.Options(workingDirectory: file.removingLastComponent())
        options.file = file
        let configuration = try EnvironmentLoader(options).load().configurationText(origins: false)
        #expect(try failure(configuration) == nil)
    }

    @Test(
        "what the decoder refuses, the schema refuses",
        arguments: [
            "box: a\nmemry: 1", "box: a\ncpus: 0", "box: a\nmemory: 1", "box: a\nmemory: 4GB",
            "box: a\nautostart: 'yes'",
            "box: a\nprovision: [{ name: x }]", "box: a\nprovision: [{ run: x, script: y }]",
            "box: a\nprovision: [{ reboot: false }]", "box: a\nprovision: [{ tty: true }]", "box: a\nports: [x]",
            "box: a\nready: [{ tcp: 70000 }]", "box: { version: '1' }", "box: a\nprovider: qemu",
            "box: a\nboot_timeout: 5",
            "machines: { Web: { box: a } }", "box: a\nenv: { 1A: x }", "box: a\nfiles: [{ path: /a }]",
            "box: a\nname: A",
            "box: a\nsnapshots: []", "box: a\nshares: [x]", "networks: { a: { subnet: x } }\nbox: a",
        ])
    func refused(text: String) throws {
        #expect(!(try Project(text).problems().isEmpty))
        #expect(try failure(text) != nil, "\(text)")
    }

    private func failure(_ text: String) throws -> String? {
        let problems = Problems()
        let source = problems.add(SourceText(label: "Wanderfile", text: text))
        let node = try #require(YAMLReader.read(source, problems: problems))
        let document = JSONSchema.document
        return try SchemaValidator(root: document).failure(Self.json(node), document)
    }

    /// As an editor's YAML reader sees the file: plain numbers and booleans are no text.
    private static func json(_ node: Node) -> JSONValue {
        switch node.content {
        case .sequence(let items): return .array(items.map(json))
        case .mapping(let entries): return .object(entries.map { JSONMember($0.name, json($0.value)) })
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            if node.isNull { return .null }
            if let number = Int64(text), text == "0" || !text.hasPrefix("0") { return .integer(number) }
            return text == "true" ? true : text == "false" ? false : .string(text)
        }
    }
}
