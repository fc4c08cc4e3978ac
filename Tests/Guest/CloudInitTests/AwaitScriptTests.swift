import LinuxSystem
import SSH
import SystemPackage
import TestSupport
import Testing

@testable import CloudInit

/// The script for guests, run by this host's shells, with a cloud-init that is told what to say.
@Suite struct AwaitScriptTests {
    static let shells = ["dash", "bash --posix", "busybox sh"]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func said(_ shell: String) throws -> String {
        var options = ChildProcess.Options()
        options.environment = ["PATH=\(folder("bin")):/usr/bin:/bin"]
        let words = shell.split(separator: " ").map(String.init)
        let result = try ChildProcess.run(
            words + ["-c", BuiltInScript.text(PackageResources.await_cloud_init_sh), "sh", folder.path.string], options)
        #expect(result.outcome == .exited(0))
        return String(decoding: result.output, as: UTF8.self)
    }

    private func install(_ program: String) throws {
        try FileSystem.makeDirectory(folder("bin"))
        try AtomicFile.write("#!/bin/sh\n\(program)\n", to: folder("bin/cloud-init"), permissions: 0o755)
    }

    @Test("no cloud-init, and one that was not started, cost no start of it", arguments: shells)
    func nothing(_ shell: String) throws {
        #expect(try said(shell) == "absent\n")
        try install("echo started >&2; exit 9")
        #expect(try said(shell) == "unstarted\n")
    }

    @Test("it waits while there is no result, and says what cloud-init is at", arguments: shells)
    func waits(_ shell: String) throws {
        let result = folder("run/cloud-init/result.json").string
        _ = try folder.file("run/cloud-init/status.json")
        _ = try folder.file("var/log/cloud-init-output.log", Array("first\ninstalling it\n".utf8))
        try install(#"echo '{"status":'; echo '"done"}'"#)
        // By the script itself: what it sleeps by makes the result.
        try AtomicFile.write("#!/bin/sh\n: >'\(result)'\n", to: folder("bin/sleep"), permissions: 0o755)
        #expect(try said(shell) == "at installing it\nexit 0\nstatus {\"status\":\nstatus \"done\"}\n")
    }

    @Test("a failure comes with the end of the log, without what is there for people", arguments: shells)
    func failure(_ shell: String) throws {
        _ = try folder.file("run/cloud-init/result.json")
        _ = try folder.file(
            "var/log/cloud-init-output.log",
            Array("early\nci-info: key\n| o.o |\nCloud-init v. 1\nSHA256:x y\nThe key fingerprint is:\nbad\n".utf8))
        try install(#"case "$*" in 'status --wait --long --format json') echo '{"status": "error"}'; exit 1 ;; esac"#)
        #expect(try said(shell) == "exit 1\nstatus {\"status\": \"error\"}\nlog early\nlog bad\n")
    }

    @Test("an old cloud-init is asked as people ask it", arguments: shells)
    func old(_ shell: String) throws {
        _ = try folder.file("run/cloud-init/result.json")
        try install(#"case "$*" in *format*) echo usage >&2; exit 2 ;; *) echo; echo 'status: done' ;; esac"#)
        #expect(CloudInitOutcome(Array(try said(shell).utf8)) == .done)
    }
}
