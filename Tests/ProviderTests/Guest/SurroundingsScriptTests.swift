import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider
@testable import SSH

/// The script that tells a guest of proxies and certificates, run by this host's shells in a folder of the test's own.
@Suite struct SurroundingsScriptTests {
    static let shells = ["dash", "bash --posix", "busybox sh"]
    private let folder: TemporaryFolder
    private let root: FilePath

    init() throws {
        folder = try TemporaryFolder()
        root = folder("root")
        for name in ["etc/profile.d", "etc/apt/apt.conf.d", "etc/sudoers.d", "etc/systemd/system", "bin"] {
            try FileSystem.makeDirectory(root.pushing(FilePath(name)))
        }
        try program("update-ca-certificates", "exit 9")
    }

    private func program(_ name: String, _ text: String) throws {
        try AtomicFile.write("#!/bin/sh\n\(text)\n", to: root.appending("bin").appending(name), permissions: 0o755)
    }

    private func run(
        _ http: String = "", _ https: String = "", _ none: String = "", pem: String = "", by shell: String
    ) throws -> String {
        var options = ChildProcess.Options()
        options.environment = ["PATH=\(root)/bin:/usr/bin:/bin"]
        let text = BuiltInScript.text(PackageResources.adapt_surroundings_sh)
        let words =
            shell.split(separator: " ").map(String.init) + ["-c", text, "sh", http, https, none, root.string]
        let result = try ChildProcess.run(words, input: Array(pem.utf8), options)
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        return String(decoding: result.output, as: UTF8.self)
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try FileSystem.read(root.pushing(FilePath(name)), limit: 1 << 16), as: UTF8.self)
    }

    private var files: [String] {
        get throws {
            let found = try ChildProcess.run(
                ["find", root.string, "-type", "f", "-printf", "%P\n"], ChildProcess.Options())
            return String(decoding: found.output, as: UTF8.self).split(separator: "\n").map(String.init)
                .filter { !$0.hasPrefix("bin/") }.sorted()
        }
    }

    @Test("login shells, sudo, apt and services get the proxies, and lose them", arguments: shells)
    func proxies(_ shell: String) throws {
        let (http, https) = ("http://ada:p%40ss@proxy.test:3128", "http://other.test:8080")
        _ = try run(http, https, "localhost,db,.example.test,10.0.0.0/8", by: shell)
        let sourced = try ChildProcess.run(
            [
                "sh", "-c", ". \"$1\"; echo \"$http_proxy $HTTPS_PROXY $no_proxy\"", "sh",
                "\(root)/etc/profile.d/wander-proxy.sh",
            ],
            ChildProcess.Options())
        #expect(
            String(decoding: sourced.output, as: UTF8.self)
                == "\(http) \(https) localhost,db,.example.test,10.0.0.0/8\n")
        #expect(try FileSystem.status(root.pushing("etc/sudoers.d/wander-proxy"))?.permissions == 0o440)
        let apt = try text("etc/apt/apt.conf.d/95wander-proxy")
        #expect(apt.hasPrefix("Acquire::http::Proxy \"\(http)\";\nAcquire::https::Proxy \"\(https)\";\n"))
        #expect(apt.contains("Acquire::http::Proxy::db \"DIRECT\";") && !apt.contains("example"))
        let unit = try text("etc/systemd/system/docker.service.d/wander-proxy.conf")
        #expect(unit.hasPrefix("[Service]\nEnvironment=\"HTTP_PROXY=http://ada:p%%40ss@proxy.test:3128\""))
        #expect(try files.count == 5)
        // Again, and with another one.
        _ = try run(http, https, "localhost", by: shell)
        _ = try run("http://new.test", "", "localhost", by: shell)
        #expect(try !text("etc/profile.d/wander-proxy.sh").contains("https_proxy"))
        #expect(try text("etc/apt/apt.conf.d/95wander-proxy").hasPrefix("Acquire::http::Proxy \"http://new.test\";"))
        _ = try run(by: shell)
        #expect(try files == [])
        #expect(try FileSystem.list(root.pushing("etc/systemd/system")) == [])
    }

    @Test("what a guest does not have gets nothing", arguments: shells)
    func small(_ shell: String) throws {
        try FileSystem.removeTree(root.appending("etc"))
        _ = try run("http://proxy.test", "http://proxy.test", "localhost", by: shell)
        #expect(try files == [])
    }

    private func certificate(_ text: String) -> String {
        "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n"
    }

    @Test("each certificate is a file of its own in the store, and goes again", arguments: shells)
    func certificates(_ shell: String) throws {
        let pem = "# a note\n" + certificate("AAA") + "between\n" + certificate("BBB")
        #expect(try run(pem: pem, by: shell) == "")
        let store = "usr/local/share/ca-certificates"
        #expect(try text("\(store)/wander-001.crt") == certificate("AAA"))
        #expect(try text("\(store)/wander-002.crt") == certificate("BBB"))
        #expect(try text("usr/local/share/wander/ca.pem") == pem)
        #expect(try text("etc/profile.d/wander-ca.sh").hasSuffix("export NODE_EXTRA_CA_CERTS=\(Surroundings.bundle)\n"))
        _ = try run(pem: certificate("CCC"), by: shell)
        #expect(try FileSystem.list(root.pushing(FilePath(store))) == ["wander-001.crt"])
        _ = try run(by: shell)
        #expect(try files == [])
    }

    @Test(
        "the store is where the guest's program looks for it",
        arguments: ["etc/pki/trust/anchors", "etc/pki/ca-trust/source"])
    func stores(_ place: String) throws {
        try FileSystem.makeDirectory(root.pushing(FilePath(place)))
        let isSUSE = place.hasSuffix("anchors")
        if !isSUSE {
            try FileSystem.remove(root.pushing("bin/update-ca-certificates"))
            try program("update-ca-trust", "exit 9")
            // This host's own is not to be found.
            for name in ["sh", "cat", "mkdir", "rm", "awk", "sed", "rmdir", "chmod", "mv"] {
                try program(name, "PATH=/usr/bin:/bin exec \(name) \"$@\"")
            }
        }
        var options = ChildProcess.Options()
        options.environment = ["PATH=\(root)/bin\(isSUSE ? ":/usr/bin:/bin" : "")"]
        let script = BuiltInScript.text(PackageResources.adapt_surroundings_sh)
        let result = try ChildProcess.run(
            ["/bin/sh", "-c", script, "sh", "", "", "", root.string], input: Array(certificate("AAA").utf8), options)
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        let anchors = isSUSE ? place : "\(place)/anchors"
        #expect(try text("\(anchors)/wander-001.crt") == certificate("AAA"))
    }
}
