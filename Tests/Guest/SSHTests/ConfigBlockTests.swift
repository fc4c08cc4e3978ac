import LinuxSystem
import SSH
import SSHTestServer
import SystemPackage
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

    @Test(
        "ssh(1) reads paths and commands with whatever stands in them",
        arguments: ["it's", "a \"q\" b", "50%2F", "back\\slash", "tab\there", "#x", "a=b", "100%"])
    func odd(name: String) throws {
        let directory = try TemporaryFolder()
        var block = SSHConfigBlock(
            host: "web", port: 22, user: "u", identityFiles: ["/srv/\(name)/id"], knownHostsFile: "/srv/\(name)/known")
        block.proxyCommand = ["/bin/wander", "net", "22%"]
        let file = directory.path.appending("config")
        try AtomicFile.write(block.rendered, to: file)
        let options = block.settings.flatMap { ["-o", "\($0.0)=\($0.1)"] }
        for words in [["-F", file.string, "web"], ["-F", "none"] + options + ["web"]] {
            let result = try ChildProcess.run(["ssh", "-G"] + words)
            try #require(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
            let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
            // An identity file is shown before `%` is expanded, the known hosts after.
            let shown = name.replacing("%", with: "%%")
            #expect(lines.contains("identityfile /srv/\(shown)/id"))
            #expect(lines.contains("userknownhostsfile /srv/\(name)/known"))
            #expect(
                lines.contains("proxycommand /bin/wander net 22%%")
                    || lines.contains("proxycommand /bin/wander net '22%%'"))
        }
    }

    @Test("ssh(1) runs the command of a file with its environment, whatever stands in them")
    func command() throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try TestServer(accepting: [key.publicKey])
        let identity = server.directory.path.appending("id")
        try AtomicFile.write(key.privateKeyText, to: identity, permissions: 0o600)
        var command = SSHCommand("printf '%s|' \"$TOKEN\" 100%h '%%' \\#")
        command.environment = [("TOKEN", "it's\na \"50%p\" ${HOME} #")]
        let file = server.directory.path.appending("config")
        try AtomicFile.write(SSHConfigBlock.file(running: command.commandLine, on: "web"), to: file)
        let block = SSHConfigBlock(host: "web", port: server.port, user: server.user, identityFiles: [identity.string])
        let options = block.settings.flatMap { ["-o", "\($0.0)=\($0.1)"] }
        let result = try ChildProcess.run(["ssh"] + options + ["-T", "-F", file.string, "web"])
        #expect(
            String(decoding: result.output, as: UTF8.self) == "it's\na \"50%p\" ${HOME} #|100%h|%%|#|",
            "\(String(decoding: result.error, as: UTF8.self))")
    }

    @Test("without a known host key nothing is checked and nothing remembered")
    func firstContact() {
        let block = SSHConfigBlock(host: "default", port: 22, user: "u", identityFiles: [])
        #expect(block.rendered.contains("  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n"))
    }
}
