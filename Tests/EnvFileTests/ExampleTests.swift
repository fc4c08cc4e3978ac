import EnvFile
import LinuxSystem
import SystemPackage
import Testing

@Suite struct ExampleTests {
    @Test("there are five examples")
    func present() { #expect(Fixtures.examples.count == 5) }

    @Test("an example loads, and everything that it names is there", arguments: Fixtures.examples)
    func example(name: String) throws {
        let environment = try load(Fixtures.example(name))
        #expect(environment.warnings.isEmpty)
        #expect(environment.hostProblems(for: environment.machines).isEmpty)
    }

    @Test("the configuration of an example is a Wanderfile of the same environment", arguments: Fixtures.examples)
    func roundTrip(name: String) throws { try checkRoundTrip(load(Fixtures.example(name))) }

    @Test("Wanderfile.example loads and comes back from its configuration")
    func everyKey() throws { try checkRoundTrip(load(Fixtures.repository.appending("Wanderfile.example"))) }

    @Test("README's Wanderfile loads as it stands, and comes back from its configuration")
    func readme() throws {
        let text = try Fixtures.text(Fixtures.repository.appending("README.md"))
        let start = try #require(text.firstRange(of: "```yaml\n"))
        let block = try #require(text[start.upperBound...].split(separator: "```").first)
        let environment = try Project(String(block)).load()
        #expect(environment.warnings.isEmpty)
        #expect(environment.machines.count == 2)
        try checkRoundTrip(environment)
    }

    @Test("what the pages of documentation write into a Wanderfile is understood")
    func pages() throws {
        let folder = Fixtures.repository.appending("docs")
        var count = 0
        for page in try FileSystem.list(folder) where page.hasSuffix(".md") {
            for part in try Fixtures.text(folder.appending(page)).split(separator: "```yaml\n").dropFirst() {
                let block = String(try #require(part.split(separator: "```").first))
                // Some show only the keys that they are about.
                let isWhole = block.split(separator: "\n").contains {
                    $0.hasPrefix("box:") || $0.hasPrefix("machines:") || $0.hasPrefix("defaults:")
                }
                let environment = try Project(isWhole ? block : "box: team/base\n" + block).load()
                #expect(environment.warnings.isEmpty, "\(page)")
                count += 1
            }
        }
        #expect(count > 5)
    }

    @Test("Wanderfile.example has every key, each below a comment that explains it")
    func complete() throws {
        let text = try Fixtures.text(Fixtures.repository.appending("Wanderfile.example"))
        let shown = Set(
            text.split(separator: "\n").compactMap { line -> Substring? in
                let content = line.drop { $0 == " " || $0 == "-" }
                guard !content.hasPrefix("#"), let colon = content.firstIndex(of: ":") else { return nil }
                return content[..<colon]
            })
        for row in KeyReference.rows {
            let key = row.path.split(separator: ".").last ?? ""
            #expect(shown.contains(key), "\(row.path)")
        }
        #expect(text.split(separator: "\n").count { $0.drop { $0 == " " }.hasPrefix("#") } > 60)
    }

    private func load(_ file: FilePath) throws -> Environment {
        var options = EnvironmentLoader.Options(workingDirectory: file.removingLastComponent())
        options.file = file
        options.version = ProgramVersion("0.1.0")
        return try EnvironmentLoader(options).load()
    }

    private func checkRoundTrip(_ environment: Environment) throws {
        for origins in [false, true] {
            let project = try Project(environment.configurationText(origins: origins))
            #expect(try project.load().canonicalJSON == environment.canonicalJSON)
        }
    }
}
