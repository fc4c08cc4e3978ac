import EnvFile
import JSON
import Testing

/// The table of keys against the decoder: no key is accepted and then ignored.
@Suite struct KeyTableTests {
    /// Keys that say how to read the file; what they do is seen in other values.
    static let aboutTheFile = ["wander", "vars", "env_files", "defaults", "machines", "count", "for_each", "names"]

    /// Keys without which their map is refused: their values are compared in other tests.
    static let required = [
        "machines.NAME.ports[].guest", "machines.NAME.networks[].name", "machines.NAME.provision[].ansible.playbook",
        "machines.NAME.hooks.NAME[].run",
    ]

    @Test("every key of a machine reaches its definition", arguments: KeyReference.rows)
    func reachesDefinition(row: KeyReference.Row) throws {
        let path = row.path.split(separator: ".").map(String.init)
        guard path.first == "machines" || path.first == "networks" || path.first == "name",
            path.count != 1 || row.path == "name",
            !Self.aboutTheFile.contains(path.last ?? ""), !Self.required.contains(row.path)
        else { return }
        let without = try load(path, value: nil)
        let with = try load(path, value: row.example)
        #expect(with != without, "\(row.path): \(row.example)")
    }

    @Test("a key of the table says what it is for, and its example is one line")
    func described() {
        for row in KeyReference.rows {
            #expect(!row.summary.isEmpty && !row.summary.hasSuffix("."), "\(row.path)")
            #expect(row.details?.hasSuffix(".") != false, "\(row.path)")
            #expect(!row.example.isEmpty && !row.example.contains("\n"), "\(row.path)")
        }
        #expect(KeyReference.rows.count >= 70)
        #expect(Set(KeyReference.rows.map(\.path)).count == KeyReference.rows.count)
    }

    @Test("each key is in one section of the reference, and a machine's key says what a change needs")
    func sections() {
        let rows = KeyReference.sections.flatMap(\.rows)
        #expect(rows.count == KeyReference.rows.count)
        #expect(Set(rows) == Set(KeyReference.rows))
        for section in KeyReference.sections {
            for row in section.rows {
                #expect((row.takesEffect != nil) == (section.path == "machines.NAME"), "\(row.path)")
                #expect(row.path == (section.path.isEmpty ? row.name : "\(section.path).\(row.name)"))
            }
        }
        let step = KeyReference.sections.first { $0.path == "machines.NAME.provision[]" }
        #expect(step?.choice == "Takes exactly one of 'run', 'script', 'ansible' and 'file', or 'reboot: true' alone.")
        #expect(KeyReference.sections.first { $0.path == "vars.NAME" }?.shortForm?.contains("'default'") == true)
    }

    /// The environment of a file in which the key at `path` has `value`, or stands beside what it needs without it.
    private func load(_ path: [String], value: String?) throws -> JSONValue {
        var tree = Tree()
        tree.set(["name"], "lab")
        tree.set(["networks", "lab", "subnet"], "10.77.0.0/16")
        tree.set(["defaults", "box", "ref"], "debian")
        tree.set(["defaults", "secrets", "API_TOKEN", "env"], "OTHER")
        tree.set(["machines", "first", "cpus"], "1")
        tree.set(["machines", "db", "cpus"], "1")
        let parts = path.map {
            $0 == "NAME" ? (path.first == "networks" ? "lab" : "web") : $0 == "NAME[]" ? "before_halt[]" : $0
        }
        tree.set(["machines", "web", "autostart"], "true")
        let key = parts.joined(separator: ".")
        if key.contains("depends_on") { return try depends(value, whole: key.hasSuffix("depends_on")) }
        // What a map with required keys needs beside the one in question.
        let companions = [
            "ports[]": ["guest": "80", "host": "1"], "networks[]": ["name": "lab"],
            "shares[]": ["host": ".", "guest": "/project"], "files[]": ["path": "/a", "content": "c"],
            "provision[]": ["run": "x"], "before_halt[]": ["run": "x"], "ready[]": ["tcp": "1"],
            "proxy": ["http": "http://other.test"],
        ]
        // A key of a playbook is beside what every playbook needs.
        let isOfPlaybook = parts.dropLast().contains("ansible")
        if isOfPlaybook { tree.set(Array(parts.dropLast()) + ["playbook"], "p.yml") }
        // So is one of a file that a step puts there.
        let isOfFile = parts.dropLast().contains("file")
        if isOfFile {
            tree.set(Array(parts.dropLast()) + ["path"], "/a")
            let takesPlace = value != nil && ["content", "source"].contains(parts.last)
            if !takesPlace { tree.set(Array(parts.dropLast()) + ["content"], "c") }
        }
        for (list, keys) in companions where parts.contains(list) && !isOfPlaybook && !isOfFile {
            let prefix = Array(parts.prefix { $0 != list }) + [list]
            let last = parts.last ?? ""
            // Of the keys of which exactly one may stand there, the one in question takes the other's place.
            let choices = ["run", "script", "ansible", "tcp", "http", "file", "content", "source"]
            for (name, standard) in keys
            where name != last && !(value != nil && choices.contains(last) && choices.contains(name)) {
                tree.set(prefix + [name], standard)
            }
            if value == nil, keys[last] != nil { tree.set(prefix + [last], keys[last] ?? "") }
        }
        if let value { tree.set(parts, value) }
        let project = try Project(tree.text)
        return try project.load().canonicalJSON
    }

    private func depends(_ value: String?, whole: Bool) throws -> JSONValue {
        let dependency = value.map { whole ? $0 : "{ db: { condition: \($0) } }" } ?? (whole ? "[]" : "[db]")
        let text = "defaults: { box: a }\nmachines: { db: {}, web: { depends_on: \(dependency) } }\n"
        return try Project(text).load().canonicalJSON
    }

    /// A Wanderfile put together key by key.
    private struct Tree {
        private var children: [(name: String, tree: Tree)] = []
        private var value: String?

        mutating func set(_ path: [String], _ value: String) {
            guard let name = path.first else {
                self.value = value
                children = []
                return
            }
            var child = Tree()
            if let index = children.firstIndex(where: { $0.name == name }) {
                child = children[index].tree
                children.remove(at: index)
            }
            child.set(Array(path.dropFirst()), value)
            children.append((name, child))
        }

        var text: String {
            if let value { return value }
            let entries = children.map { child in
                child.name.hasSuffix("[]")
                    ? "\(child.name.dropLast(2)): [\(child.tree.text)]" : "\(child.name): \(child.tree.text)"
            }
            return "{ \(entries.joined(separator: ", ")) }"
        }
    }
}
