import ArgumentParser
import BoxFormat
import Glibc
import LinuxSystem
import Reporting
import SystemPackage
import Testing

@testable import Provider
@testable import wander

/// What errors tell people to do next.
@Suite struct RemedyTests {
    private static let box: BoxIdentity? = {
        guard let name = try? BoxName("team/a"), let version = BoxVersion("1.2") else { return nil }
        return BoxIdentity(name: name, version: version, architecture: .amd64)
    }()

    /// Errors that are about what several commands leave behind, with the verbs that they name.
    private static let errors: [(error: any UserFacingError, verbs: [String])] =
        [
            (ProviderError.boxMissing("team/a 1.2 (amd64)", machine: "web", source: "https://x/a.box"), ["box add"]),
            (ProviderError.boxMissing("team/a 1.2 (amd64)", machine: "web", source: nil), ["box add"]),
            (
                ProviderError.boxChanged(machine: "web", box: "team/a 1.2 (amd64)", wanted: "1", actual: "2"),
                ["box add", "destroy", "up"]
            ),
            (ProviderError.recordMissing(machine: "web", path: "/x"), ["destroy"]),
        ]
        + (box.map {
            [(BoxError.inUse($0, machines: []), ["box prune"]), (BoxError.damaged($0, files: []), ["box add"])]
        }
            ?? [])

    @Test("each command that a remedy names is one that the parser takes", arguments: errors.indices)
    func parses(index: Int) throws {
        let (error, verbs) = Self.errors[index]
        let remedy = try #require(error.remedy)
        let commands = CommandText.find(in: remedy, place: error.summary)
        for verb in verbs {
            #expect(
                commands.contains { $0.words.joined(separator: " ").hasPrefix(verb) },
                "'wander \(verb)' in: \(remedy)")
        }
        for command in commands {
            #expect(throws: Never.self, "wander \(command.words.joined(separator: " "))") {
                _ = try Wander.parseAsRoot(CommandLineRewriter.rewrite(command.words))
            }
        }
    }

    /// Who may not write to others' folders, whoever runs the tests.
    private static let stranger =
        getuid() == 0 ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : []
    private static let mayRun: Bool = {
        guard let program = try? WanderProcess.executable() else { return false }
        return (try? ChildProcess.run(stranger + ["test", "-x", program.string]).outcome.isSuccess) == true
    }()

    @Test(
        "what the user may not do is the host's refusal: exit status 5, with the path and what to look at",
        .enabled(if: mayRun, "another user does not reach the executable"))
    func permission() throws {
        let folder = try ProjectFolder()
        let place = folder.path.appending("closed")
        try FileSystem.makeDirectory(place)
        try FileSystem.setPermissions(place, 0o555)
        var options = folder.wander.options
        options.directory = place
        let words = [try WanderProcess.executable().string, "init", "team/base"]
        let result = try ChildProcess.run(Self.stranger + words, options)
        let said = String(decoding: result.error, as: UTF8.self)
        #expect(result.outcome == .exited(5), "\(said)")
        #expect(said.contains("Permission denied") && said.contains("Check the owner and permissions"), "\(said)")
        #expect(try FileSystem.list(place).isEmpty)
    }
}
