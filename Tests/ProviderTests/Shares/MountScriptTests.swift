import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// The script that mounts shares, run by this host's shell: its mounts and system files are a folder of the test's own.
@Suite struct MountScriptTests {
    private let folder: TemporaryFolder
    private let table: FilePath
    private let calls: FilePath

    init() throws {
        folder = try TemporaryFolder()
        table = folder("fstab")
        calls = folder("calls")
        try AtomicFile.write("", to: folder("mounts"))
        try AtomicFile.write("", to: calls)
        try AtomicFile.write("nodev\tvirtiofs\n", to: folder("filesystems"))
        try AtomicFile.write("", to: folder("modules"))
        try program("getent", #"[ "$2" = dev ] && echo "dev:x:1234:1235::\#(folder.path)/home/dev:/bin/sh""#)
        try program("chown", #"echo "chown $*" >>"\#(calls)""#)
        try program("modprobe", #"echo "modprobe $*" >>"\#(calls)""#)
        try program("uname", "echo 3.10.0")
        try program(
            "mount",
            #"""
            echo "mount $*" >>"\#(calls)"
            if [ -e "\#(folder("refuse"))" ]; then echo "mount: refused" >&2; exit 32; fi
            case $* in *remount*) ;; *) echo "9 1 0:47 / $(printf '%s' "$4" | sed 's/ /\\040/g') rw,relatime - virtiofs $3 rw" >>"\#(folder("mounts"))" ;; esac
            """#)
        try FileSystem.makeDirectory(folder("home/dev"))
        try FileSystem.makeDirectory(folder("bdi/0:47"))
    }

    private func program(_ name: String, _ text: String) throws {
        try FileSystem.makeDirectory(folder("bin"))
        try AtomicFile.write("#!/bin/sh\n\(text)\n", to: folder("bin").appending(name), permissions: 0o755)
    }

    private func share(_ place: String, readOnly: Bool = false) -> MachineShare {
        MachineShare(
            tag: MachineShare.tag(for: place), folder: "/srv", guest: "\(folder.path)\(place)", isReadOnly: readOnly)
    }

    private func run(_ shares: [MachineShare], user: String = "dev") throws -> MountScript.Outcome {
        let text = MountScript.text.replacing("/etc/fstab", with: "\(table)")
            .replacing("/proc/self/mountinfo", with: "\(folder("mounts"))")
            .replacing("/proc/filesystems", with: "\(folder("filesystems"))")
            .replacing("/proc/modules", with: "\(folder("modules"))")
            .replacing("/sys/class/bdi", with: "\(folder("bdi"))")
            .replacing("/run/systemd/system", with: "\(folder("systemd"))")
        let script = MountScript(user: user, shares: shares)
        var options = ChildProcess.Options()
        options.environment = ["PATH=\(folder("bin")):/usr/bin:/bin"]
        let result = try ChildProcess.run(["sh", "-c", text, "sh"] + script.arguments, options)
        return MountScript.Outcome(String(decoding: result.output, as: UTF8.self))
    }

    private func said(_ path: FilePath) throws -> [String] {
        String(decoding: try FileSystem.read(path, limit: 1 << 16), as: UTF8.self)
            .replacing("\(folder.path)", with: "").split(separator: "\n").map(String.init)
    }

    @Test("every shell that a guest may have can read the script", arguments: ["dash", "bash", "busybox sh"])
    func syntax(shell: String) throws {
        let words = shell.split(separator: " ").map(String.init)
        guard findExecutable(words[0]) != nil else {
            // One shell there is everywhere: the script is never unread.
            #expect(words[0] != "bash")
            return
        }
        let result = try ChildProcess.run(words + ["-n"], input: Array(MountScript.text.utf8))
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
    }

    @Test("a driver that the guest's own start is loading is waited for, and a mount that it was first with is one")
    func besideStart() throws {
        try AtomicFile.write("nodev\ttmpfs\n", to: folder("filesystems"))
        try AtomicFile.write("fuse 1 1 virtiofs, Live 0x0\nvirtiofs 2 0 - Loading 0x0\n", to: folder("modules"))
        // Each look brings it on: at the third it is there, and so is the mount.
        let line = "9 1 0:47 / \(folder.path)/p rw - virtiofs \(share("/p").tag) rw"
        try program(
            "sleep",
            #"""
            echo sleep >>"\#(calls)"
            if [ "$(grep -c sleep "\#(calls)")" = 3 ]; then
                echo "nodev virtiofs" >"\#(folder("filesystems"))"
                echo "\#(line)" >>"\#(folder("mounts"))"
            fi
            """#)
        try AtomicFile.write("", to: folder("refuse"))
        #expect(try run([share("/p")]) == .mounted(isKept: true))
        #expect(try said(calls).count { $0 == "sleep" } == 3)
    }

    @Test("mounts the outer share first, tells the owner, and keeps it for the guest's next start")
    func mounts() throws {
        let (inner, outer) = (share("/p/inner", readOnly: true), share("/p"))
        try AtomicFile.write("UUID=1 / ext4 errors=remount-ro 0 1\n", to: table)
        #expect(try run([inner, outer]) == .mounted(isKept: true))
        #expect(
            try said(calls) == [
                "mount -t virtiofs \(outer.tag) /p", "chown 1234:1235 /p", "mount -t virtiofs \(inner.tag) /p/inner",
                "chown 1234:1235 /p/inner", "mount -t virtiofs -o remount,ro \(inner.tag) /p/inner",
            ])
        #expect(
            try said(table) == [
                "UUID=1 / ext4 errors=remount-ro 0 1", MountTable.comment, "\(outer.tag) /p virtiofs rw,nofail 0 0",
                "\(inner.tag) /p/inner virtiofs ro,nofail 0 0",
            ])
        #expect(try said(folder("bdi/0:47/read_ahead_kb")) == ["1024"])
        // Once more: nothing is mounted twice, the owner is told again, and the table stays as it is.
        let before = try FileSystem.status(table)?.inode
        try AtomicFile.write("", to: calls)
        #expect(try run([outer, inner]) == .mounted(isKept: true))
        #expect(
            try said(calls) == [
                "chown 1234:1235 /p", "mount -t virtiofs -o remount,rw \(inner.tag) /p/inner",
                "chown 1234:1235 /p/inner", "mount -t virtiofs -o remount,ro \(inner.tag) /p/inner",
            ])
        #expect(try FileSystem.status(table)?.inode == before)
    }

    @Test("what was shared once goes out of the table, and everything else stays, wherever it stands")
    func forgets() throws {
        #expect(try run([share("/a"), share("/b")]) == .mounted(isKept: true))
        let lines = try said(table)
        try AtomicFile.write((["# mine"] + lines + ["tmpfs /x tmpfs rw 0 0", ""]).joined(separator: "\n"), to: table)
        #expect(try run([share("/b")]) == .mounted(isKept: true))
        #expect(
            try said(table)
                == [
                    "# mine", "tmpfs /x tmpfs rw 0 0", MountTable.comment, MountTable.line(share("/b")),
                ].map { $0.replacing("\(folder.path)", with: "") })
        #expect(try run([]) == .mounted(isKept: true))
        #expect(try said(table) == ["# mine", "tmpfs /x tmpfs rw 0 0"])
        #expect(try !FileSystem.list(folder.path).contains("fstab.wander"))
    }

    @Test("a guest without a table gets one only when it is needed")
    func noTable() throws {
        #expect(try run([]) == .mounted(isKept: true))
        #expect(try !FileSystem.exists(table))
        #expect(try run([share("/a")]) == .mounted(isKept: true))
        #expect(try said(table).count == 2)
    }

    @Test("spaces, quotes, backslashes and words that look like options stay in the path")
    func strangePaths() throws {
        let odd = share(#"/it's a "p"\th $(id) `id` -o x"#)
        #expect(try run([odd]) == .mounted(isKept: true))
        #expect(try FileSystem.isDirectory(FilePath(odd.guest)))
        let line = try #require(try said(table).last)
        #expect(line == #"\#(odd.tag) /it's\040a\040"p"\134th\040$(id)\040`id`\040-o\040x virtiofs rw,nofail 0 0"#)
        #expect(try run([]) == .mounted(isKept: true))
        #expect(try said(table).isEmpty)
    }

    @Test("folders that are made below the user's home are the user's")
    func homeFolders() throws {
        #expect(try run([share("/home/dev/src/app")]) == .mounted(isKept: true))
        #expect(
            try said(calls) == [
                "chown 1234:1235 /home/dev/src", "chown 1234:1235 /home/dev/src/app",
                "mount -t virtiofs \(MachineShare.tag(for: "/home/dev/src/app")) /home/dev/src/app",
                "chown 1234:1235 /home/dev/src/app",
            ])
    }

    @Test(
        "a share that would hide the user's keys is refused before anything is mounted",
        arguments: ["/home", "/home/dev", "/home/dev/.ssh"])
    func home(place: String) throws {
        #expect(try run([share(place)]) == .failed(reason: "home", share: 1, words: ""))
        #expect(try said(calls).isEmpty)
    }

    @Test("tells what is missing: the user, the driver, the place, the device")
    func failures() throws {
        let good = share("/good")
        #expect(try run([good], user: "nobody-here-by-that-name") == .failed(reason: "user", share: 0, words: ""))
        try AtomicFile.write("", to: folder("file"))
        guard case .failed("place", 2, let words) = try run([good, share("/good/../file")]) else {
            Issue.record("a file was taken for a folder")
            return
        }
        #expect(words.contains("exists"))
        try AtomicFile.write("", to: folder("refuse"))
        #expect(try run([share("/x")]) == .failed(reason: "mount", share: 1, words: "mount: refused"))
        try AtomicFile.write("", to: folder("filesystems"))
        #expect(try run([share("/x")]) == .failed(reason: "driver", share: 1, words: "3.10.0"))
        #expect(try said(calls).contains("modprobe virtiofs"))
    }

    @Test("a table that is a link, as where the system makes it, is left alone and that is said")
    func generatedTable() throws {
        try AtomicFile.write("x\n", to: folder("made"))
        #expect(try ChildProcess.run(["ln", "-s", "made", table.string]).outcome.isSuccess)
        #expect(try run([share("/a")]) == .mounted(isKept: false))
        #expect(try said(folder("made")) == ["x"])
    }

    @Test("systemd forgets that it could not mount what is shared no longer")
    func systemd() throws {
        try FileSystem.makeDirectory(folder("systemd"))
        try program("systemctl", #"echo "systemctl $*" >>"\#(calls)""#)
        try program("systemd-escape", #"echo "escaped $3""#)
        #expect(try run([share("/a b")]) == .mounted(isKept: true))
        try AtomicFile.write("", to: calls)
        #expect(try run([]) == .mounted(isKept: true))
        #expect(try said(calls) == ["systemctl daemon-reload", "systemctl reset-failed escaped /a b"])
    }

    @Test(
        "an answer of the guest that is none, or too much, is no success",
        arguments: [
            "", "mounted", "shares", "shares x", "shares mount -1 0", "xshares mounted", "shares home ninety",
        ])
    func answers(text: String) {
        #expect(MountScript.Outcome(text) == .unknown)
    }

    @Test("the error names the share that a number stands for, and survives any number")
    func numbers() {
        #expect(
            MountScript.Outcome("noise\nshares place 9999\n a \n") == .failed(reason: "place", share: 9999, words: "a"))
    }
}
