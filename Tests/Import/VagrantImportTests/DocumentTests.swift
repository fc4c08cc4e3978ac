import EnvFile
import LinuxSystem
import SystemPackage
import Testing
import VagrantImport

/// The page for people who come from Vagrant says what the import does.
@Suite struct DocumentTests {
    private static let page = FilePath(#filePath).pushing("../../../../docs/vagrant.md").lexicallyNormalized()

    /// The rows of the table of keys: lines of a Vagrantfile, and lines of a Wanderfile.
    static let rows: [(ruby: String, keys: [String])] = {
        let text = String(decoding: (try? FileSystem.read(page)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").compactMap { line -> (ruby: String, keys: [String])? in
            guard line.hasPrefix("| `config.") else { return nil }
            let spans = line.replacing("\\|", with: "\u{1}").split(separator: "`").enumerated().filter {
                $0.offset % 2 == 1
            }
            let codes = spans.map { String($0.element.replacing("\u{1}", with: "|")) }
            guard let ruby = codes.first else { return nil }
            return (ruby: ruby, keys: Array(codes.dropFirst()))
        }
    }()

    @Test("each row of its table is what becomes of the line", arguments: 0..<rows.count)
    func row(index: Int) throws {
        let (ruby, keys) = Self.rows[index]
        let vagrantfile = "Vagrant.configure(2) do |config|\nconfig.vm.box = 'debian/bookworm64'\n\(ruby)\nend\n"
        let result = VagrantImport(Array(vagrantfile.utf8), named: "Vagrantfile", in: "/nonexistent")
        let isImportant = result.isIncomplete
        #expect(!isImportant, "\(result.remarks)")
        var expected = keys.joined(separator: "\n") + "\n"
        // What every machine has here, unless the row is about it.
        let common = ["box": "debian/12", "user": "vagrant", "shares": "[\".:/vagrant\"]"]
        let missing = common.filter { key, _ in !keys.contains { $0.hasPrefix("\(key):") } }.sorted { $0.key < $1.key }
        if expected.contains("machines:") {
            expected += "defaults:\n" + missing.map { "  \($0.key): \($0.value)\n" }.joined()
        } else {
            expected += missing.map { "\($0.key): \($0.value)\n" }.joined()
        }
        let made = try Fixture.environment(result.text, in: "/nonexistent")
        let wanted = try Fixture.environment(expected, in: "/nonexistent")
        #expect(made.canonicalJSON == wanted.canonicalJSON, "\(result.text)")
    }

    @Test("the table is there")
    func count() { #expect(Self.rows.count > 20) }
}
