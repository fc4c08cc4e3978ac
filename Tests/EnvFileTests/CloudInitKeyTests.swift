import EnvFile
import JSON
import Testing

/// `cloud_init`: how a team's user-data is written.
@Suite struct CloudInitKeyTests {
    private func given(_ text: String) throws -> FileDefinition.Content? {
        let project = try Project("box: debian/12\n\(text)\n")
        return try #require(try project.load().machines.first).cloudInit
    }

    @Test("a line is a file, lines are the text, and both can be written out")
    func forms() throws {
        let file = try #require(try given("cloud_init: data/user.yaml"))
        guard case .source(let path) = file else {
            Issue.record("\(file)")
            return
        }
        #expect(path.text == "data/user.yaml")
        #expect(try given("cloud_init: { source: data/user.yaml }") == file)
        // Nothing is filled in.
        let text = "#cloud-config\nruncmd: ['echo ${HOME}']\n"
        #expect(try given("cloud_init: |\n  #cloud-config\n  runcmd: ['echo ${HOME}']") == .text(text))
        #expect(try given("cloud_init:\n  content: |\n    #cloud-config\n    runcmd: ['echo ${HOME}']") == .text(text))
        #expect(try given("cpus: 1") == nil)
    }

    @Test(
        "what cloud-init knows is told by its beginning",
        arguments: [
            "#cloud-config\na: 1", "\n #Cloud-Config\n", "#!/bin/sh\n", "#include\nhttp://x",
            "## template: jinja\n#cloud-config",
            "Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\n\n--x", "#cloud-boothook\n",
            "#part-handler\n",
        ])
    func known(_ text: String) { #expect(UserDataText.isKnown(text.utf8)) }

    @Test("other text is not known", arguments: ["", "packages: [git]\n", "# cloud-config\n", "cloud-config", "\0\0"])
    func unknown(_ text: String) { #expect(!UserDataText.isKnown(text.utf8)) }

    @Test("gzip is known by its first bytes") func packed() {
        #expect(UserDataText.isKnown([0x1f, 0x8b, 8] as [UInt8]))
        #expect(!UserDataText.isKnown([0x1f] as [UInt8]))
    }

    @Test("text that cloud-init would pass over is a problem where it is written")
    func problem() throws {
        #expect {
            _ = try given("cloud_init:\n  content: |\n    packages: [git]")
        } throws: { error in
            let text = (error as? EnvFileError).map { "\($0.detail ?? "")\($0.summary)" } ?? ""
            return text.contains("must begin with '#cloud-config'") && text.contains("Wanderfile:3:12")
        }
        #expect(throws: EnvFileError.self) { try given("cloud_init: { source: a, content: \"#!/bin/sh\" }") }
        #expect(throws: EnvFileError.self) { try given("cloud_init: {}") }
    }

    @Test("a change takes a new machine")
    func effect() { #expect(MachineDefinition.takesEffect("cloud_init") == .withNewMachine) }
}
