import LinuxSystem
import SSH
import SystemPackage
import SSHTestServer
import TestSupport
import Testing

@Suite struct ConfigBlockTests {
    @Test("ssh(1) reads the block as it is meant")
    func oracle() throws {
        let directory = try TemporaryFolder()
        let block = SSHConfigBlock(
            host: "web", port: 2222, user: "vagrant", identityFiles: ["/a folder/100%/id", "/plain/id"],
            knownHostsFile: "/a folder/known_hosts", hostKeyAlias: "wander-web")
        let file = directory.path.appending("config")
        try AtomicFile.write(block.rendered, to: file)
        let result = try ChildProcess.run(["ssh", "-G", "-F", file.string, "web"])
        try #require(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        let lines = Set(String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init))
        let expected = [
            "hostname 127.0.0.1", "port 2222", "user vagrant", "identityfile /plain/id", "identitiesonly yes",
            "stricthostkeychecking true", "hostkeyalias wander-web", "passwordauthentication no",
            "userknownhostsfile /a folder/known_hosts",
        ]
        for line in expected { #expect(lines.contains(line), "missing: \(line)") }
        #expect(lines.contains { $0.hasPrefix("identityfile /a folder/100%") })
    }

    @Test("without a known host key nothing is checked and nothing remembered")
    func firstContact() {
        let block = SSHConfigBlock(host: "default", port: 22, user: "u", identityFiles: [])
        #expect(block.rendered.contains("  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n"))
    }
}
