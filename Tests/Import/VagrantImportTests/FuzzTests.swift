import EnvFile
import LinuxSystem
import SystemPackage
import TestSupport
import Testing
import VagrantImport

/// Changed Vagrantfiles, and bytes that are none: what comes of them is a valid Wanderfile, or nothing.
///
/// Runs for WANDER_FUZZ_SECONDS (3), from WANDER_FUZZ_SEED (1). The same seed gives the same texts. A text that makes
/// the reader crash is left in the folder that the environment variable WANDER_FUZZ_FOLDER names.
@Suite struct FuzzTests {
    private static let tokens = [
        "do |x|", "end", "end\n", "{", "}", "(", ")", "[", "]", "|", "\"", "'", "#{", "#", "`", "<<-A\n", "A\n", "<<~B",
        "%w(", "/",
        "config.vm.define \"x\" do |m|\n", "config.vm.network ", "config.vm.provision ", "config.vm.box = ", "if ",
        "unless ",
        "while true", "loop {", "case ", "when ", "def f(a)\n", "yield ", "return ", "break ", "next ", "->(x) {",
        " = ", " += ",
        " << ", " || ", " && ", " ? ", " : ", ":a => ", "a: ", "*", "&:b", "..", "...", "::", ".", "&.", ";", "\n",
        "\r\n", "\t",
        "\u{0}", "\u{1b}[2J", "\u{f5a00}HOME\u{f5a02}", "\u{feff}", "\u{2028}", "é", "\\", "nil", "0", "-1",
        "99999999999999999999", "1.5e308", "ENV['X'] || ", "(ENV['Y'] || 3).to_i", "\"#{ENV['Z'] || '7'}.\" + ",
        "File.read(\"Vagrantfile\")", "YAML.load(", "\"%d\" % ",
        ".each do |y|\n",
        ".times {", ".map(&:to_s)", ".gsub(/(a*)*b/, 'c')", "=begin\n", "__END__\n", "rescue", "ensure", "self",
        "super", "$x", "@y",
    ]

    @Test("no text makes the reader crash, hang, or write something that is not valid")
    func reader() throws {
        let seconds = Int64(environmentVariable("WANDER_FUZZ_SECONDS") ?? "") ?? 3
        let seed = UInt64(environmentVariable("WANDER_FUZZ_SEED") ?? "") ?? 1
        let corpus = try Fixture.names.map { try FileSystem.read(Fixture.path($0, "Vagrantfile")) }
        var mutator = TextMutator(seed: seed, corpus: corpus, tokens: Self.tokens)
        let own = try TemporaryFolder()
        let kept = environmentVariable("WANDER_FUZZ_FOLDER").map { FilePath($0).appending("Vagrantfile") }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var count = 0
        var withMachines = 0
        while clock.now < end || withMachines == 0 && count < 500 {
            let text = count % 20 == 19 ? noise(&mutator) : mutator.text()
            if let kept { try OwnedDescriptor.open(kept, [.writeOnly, .create, .truncate]).writeAll(text) }
            let start = clock.now
            let result = VagrantImport(text, named: "Vagrantfile", in: own.path)
            #expect(clock.now - start < .seconds(120), "seed \(seed), text \(count)")
            try check(result, own.path, "seed \(seed), text \(count)")
            if !result.machines.isEmpty { withMachines += 1 }
            count += 1
        }
        #expect(count > 20)
        // A mutator that only made rubbish would test only the first lines of the reader.
        #expect(withMachines > count / 4)
        print("fuzz: \(count) texts, \(withMachines) with machines, seed \(seed)")
    }

    private func check(_ result: VagrantImport, _ folder: FilePath, _ place: String) throws {
        for remark in result.remarks {
            let text = remark.subject + remark.text
            let isPlain = text.unicodeScalars.allSatisfy { scalar in
                scalar.value >= 0x20 && scalar.value != 0x7f && !(0xf5a00...0xf5a0f).contains(scalar.value)
            }
            #expect(isPlain, "\(place): \(text)")
        }
        let isMarked = result.text.unicodeScalars.contains { (0xf5a00...0xf5a0f).contains($0.value) }
        #expect(!isMarked, "\(place)")
        guard !result.machines.isEmpty else { return #expect(result.text.isEmpty, "\(place)") }
        do throws(EnvFileError) {
            let environment = try Fixture.environment(result.text, in: folder)
            #expect(environment.machines.count == result.machines.count, "\(place)")
        } catch {
            Issue.record("\(place): \(error.detail ?? error.summary)\n\(result.text.prefix(4000))")
        }
    }

    private func noise(_ mutator: inout TextMutator) -> [UInt8] {
        (0..<(mutator.next() % 400)).map { _ in UInt8(truncatingIfNeeded: mutator.next()) }
    }
}
