import EnvFile
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

/// Changed examples and bad files: whatever they have become, the reader answers with an environment or with problems.
///
/// Runs for WANDER_FUZZ_SECONDS (3), from WANDER_FUZZ_SEED (1). The same seed gives the same texts. A text that makes
/// the reader crash is left in the folder that the environment variable WANDER_FUZZ_FOLDER names.
@Suite struct FuzzTests {
    /// Pieces that mean something to YAML or to the schema.
    private static let tokens = [
        "box", "machines", "defaults", "ports", "provision", "run", "networks", "depends_on", "count", "vars", "env",
        "x-",
        ": ", "- ", "\n", "  ", "\t", "{", "}", "[", "]", ",", "\"", "'", "|", ">", "|-", "#", "&a ", "*a", "<<: *a",
        "!!str ",
        "%YAML 1.2\n", "---\n", "...\n", "? ", "~", "null", "true", "0", "-1", "65536", "18446744073709551616", "4GiB",
        "999999999999TiB", "1e9", "0.0001GiB", "99999999999h", "never", "${", "}", "${A}", "${A:-b}", "$$",
        "1-65535:1-65535",
        "8080:80", "/udp", "10.0.0.0/24", "255.255.255.255", "\u{0}", "\u{1b}[2J", "\u{feff}", "\u{85}", "\u{2028}",
        "é", "\r\n",
        "\\", "\\x00", "\\U00110000", "\\ud800",
    ]

    @Test("no text makes the reader crash, hang, or contradict itself")
    func reader() throws {
        let seconds = Int64(environmentVariable("WANDER_FUZZ_SECONDS") ?? "") ?? 3
        let seed = UInt64(environmentVariable("WANDER_FUZZ_SEED") ?? "") ?? 1
        let corpus = try corpus()
        #expect(corpus.count > 30)
        var mutator = TextMutator(seed: seed, corpus: corpus, tokens: Self.tokens)
        let project = try Project()
        let folder = environmentVariable("WANDER_FUZZ_FOLDER").map { FilePath($0) } ?? project.folder
        project.options.workingDirectory = folder
        project.options.file = "Wanderfile"
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var valid = 0
        var count = 0
        // About one text in sixty is valid; on a slow machine the first takes longer than the time.
        while clock.now < end || valid == 0 && count < 2000 {
            let text = mutator.text()
            try replace(folder.appending("Wanderfile"), with: text)
            if try check(project) { valid += 1 }
            count += 1
        }
        // A mutator that only made rubbish would test only the first lines of the reader.
        #expect(count > 20)
        #expect(valid > 0)
        print("fuzz: \(count) texts, \(valid) valid, seed \(seed)")
    }

    /// Whether the text was valid.
    private func check(_ project: Project) throws -> Bool {
        let environment: Environment
        do throws(EnvFileError) {
            environment = try project.load()
        } catch {
            guard case .invalid(let diagnostics, _) = error else {
                Issue.record("not a problem of the file: \(error.summary)")
                return false
            }
            #expect(!diagnostics.isEmpty)
            for diagnostic in diagnostics where diagnostic.rendered.unicodeScalars.contains("\u{1b}") {
                Issue.record("an escape sequence reaches the terminal")
            }
            return false
        }
        #expect(!environment.machines.isEmpty)
        let again = try Project(environment.configurationText(origins: true))
        again.options.version = nil
        do throws(EnvFileError) {
            #expect(try again.load().canonicalJSON == environment.canonicalJSON)
        } catch { Issue.record("the configuration is refused:\n\(error.detail ?? error.summary)") }
        return true
    }

    private func corpus() throws -> [[UInt8]] {
        var files = Fixtures.examples.map(Fixtures.example)
        files += Fixtures.bad.map { Fixtures.folder.appending("bad").appending("\($0).yaml") }
        files.append(Fixtures.repository.appending("Wanderfile.example"))
        return try files.map { try FileSystem.read($0) }
    }

    /// Without fsync, which `AtomicFile` would do for every text.
    private func replace(_ file: FilePath, with text: [UInt8]) throws {
        try OwnedDescriptor.open(file, [.writeOnly, .create, .truncate]).writeAll(text)
    }
}
