import Glibc
import JSON
import LinuxSystem
import SystemPackage
import Testing

/// A result that could not be written is an error of the command, and told; a reader that goes away is not.
@Suite struct OutputTests {
    /// One command line a verb that prints without a machine that runs; the rest needs a guest and is told apart below.
    static let printing: [[String]] = [
        [], ["--help"], ["--version"], ["help"], ["help", "topics"], ["help", "json"], ["help", "up"],
        ["up", "--dry-run"], ["status"], ["status", "--json"], ["status", "--names"], ["status", "--all"],
        ["halt"], ["destroy"], ["package", "--base", "a.raw", "--output", "a.box", "--force"],
        ["init", "tiny", "--output", "-"], ["init", "tiny", "--force"], ["validate"], ["config"],
        ["config", "--origin"], ["schema"], ["schema", "--keys"],
        ["snapshot", "list"], ["disk", "info", "a.raw"], ["disk", "check", "a.qcow2"], ["disk", "map", "a.raw"],
        ["disk", "compare", "a.raw", "b.raw"], ["disk", "resize", "a.raw", "1MiB"],
        ["disk", "convert", "a.raw", "c.raw"],
        ["net", "status"], ["box", "search"], ["box", "list"], ["box", "list", "--names"],
        ["box", "show", "team/base"], ["box", "prune"],
        ["box", "verify"], ["box", "outdated"], ["box", "update"], ["box", "add", "team.box", "--force"],
        ["box", "repackage", "team/base", "--output", "r.box", "--force"],
        ["box", "remove", "team/base"], ["version"], ["completion", "bash"], ["manual"], ["doctor"],
        ["inventory"], ["inventory", "--list"], ["run"],
    ]
    /// Those print what a guest, a running machine or a recipe says, or nothing.
    static let others: Set<String> = [
        "box build",
        "ssh", "reload", "provision", "suspend", "resume", "port", "upload", "download", "ssh-config", "logs",
        "console",
        // Its own tests have the Vagrantfile that it takes.
        "import",
        "snapshot save", "snapshot restore", "snapshot delete", "snapshot push", "snapshot pop", "net capture",
        "net connect",
    ]

    /// What the commands of the table work on.
    private func project() throws -> ProjectFolder {
        let folder = try ProjectFolder(wanderfile: "box: team/base\n")
        let metadata = """
            {"provider":"libvirt","format":"raw","wander":{"schema":1,"name":"team/base","version":"1.0",
            "architecture":"amd64"}}
            """
        try AtomicFile.write([UInt8](repeating: 7, count: 65536), to: folder.path.appending("a.raw"))
        try AtomicFile.write([UInt8](repeating: 7, count: 65536), to: folder.path.appending("b.raw"))
        try AtomicFile.write(metadata, to: folder.path.appending("metadata.json"))
        let packed = try ChildProcess.run(
            ["/bin/sh", "-c", "cp a.raw box.img && tar cf team.box metadata.json box.img"], folder.wander.options)
        try #require(packed.outcome.isSuccess)
        try #require(folder.wander.run("box", "add", "team.box").status == 0)
        try #require(folder.wander.run("disk", "convert", "a.raw", "a.qcow2").status == 0)
        return folder
    }

    @Test("every command of the table says that its result was not written")
    func full() throws {
        for words in Self.printing {
            let folder = try project()
            let normal = try folder.wander.run(words: words)
            if words.prefix(2) == ["box", "remove"] { _ = try folder.wander.run("box", "add", "team.box") }
            try? FileSystem.remove(folder.path.appending("c.raw"))
            let result = try folder.wander.run(words: words, output: "/dev/full")
            try #require(!normal.output.isEmpty, "\(words) prints nothing: \(normal.error)")
            #expect(result.error.contains("cannot write the result: No space left on device"), "\(words)")
            #expect(result.status == (normal.status == 0 ? 5 : normal.status), "\(words)")
        }
    }

    @Test("every command is in the table, or named as one that needs a machine")
    func complete() throws {
        let tree = try #require(try WanderProcess().run("--experimental-dump-help").json?["command"])
        var leaves: [String] = []
        func walk(_ command: JSONValue, _ prefix: [String]) {
            let children = command["subcommands"]?.arrayValue ?? []
            if children.isEmpty { leaves.append(prefix.joined(separator: " ")) }
            for child in children { walk(child, prefix + [child["commandName"]?.stringValue ?? ""]) }
        }
        walk(tree, [])
        #expect(leaves.count > 40)
        for leaf in leaves where !leaf.hasPrefix("help") && !leaf.hasSuffix(" help") {
            let words = leaf.split(separator: " ").map(String.init)
            let isKnown =
                Self.others.contains(leaf) || Self.printing.contains { Array($0.prefix(words.count)) == words }
            #expect(isKnown, "'\(leaf)' is in neither list")
        }
    }

    @Test(
        "a closed pipe ends a command quietly", arguments: [["schema"], ["--help"], ["manual"], ["status", "--json"]])
    func closedPipe(words: [String]) throws {
        let folder = try ProjectFolder()
        let script = "trap '' PIPE; { \"$@\"; echo \"status $?\" >&2; } | :"
        let result = try ChildProcess.run(
            ["/bin/bash", "-c", script, "bash", WanderProcess.executable().string] + words, folder.wander.options)
        #expect(String(decoding: result.error, as: UTF8.self) == "status 0\n")
    }

    @Test("a non-blocking output gets everything")
    func nonBlocking() throws {
        let pair = try OwnedDescriptor.pipe()
        try pair.write.setNonBlocking()
        // F_SETPIPE_SZ: less than what is written.
        _ = fcntl(pair.write.rawValue, 1031, 4096)
        var options = WanderProcess().options
        options.output = .descriptor(pair.write.rawValue)
        let child = try ChildProcess.start([WanderProcess.executable().string, "schema", "--keys"], options)
        let reader = pair.keepRead()
        var bytes: [UInt8] = []
        while true {
            // Slower than it is written, so that the pipe fills.
            _ = try Cancellation().wait(milliseconds: 1)
            let more = try reader.read(upTo: 512)
            if more.isEmpty { break }
            bytes += more
        }
        #expect(try child.wait() == .exited(0))
        #expect(try String(decoding: bytes, as: UTF8.self) == WanderProcess().run("schema", "--keys").output)
    }
}
