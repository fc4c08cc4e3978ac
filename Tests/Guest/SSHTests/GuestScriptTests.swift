import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import SSH

/// The scripts for guests, run by this host's shells in folders of the test's own.
@Suite struct GuestScriptTests {
    static let shells = ["dash", "bash --posix", "busybox sh"]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(
        _ file: [UInt8], _ arguments: [String], by shell: String, input: [UInt8] = [], path: String = "/usr/bin:/bin"
    ) throws -> (status: Int32, output: [UInt8], error: String) {
        var options = ChildProcess.Options()
        options.environment = ["PATH=\(path)", "HOME=\(folder.path)"]
        let text = BuiltInScript.text(file)
        let words = shell.split(separator: " ").map(String.init) + ["-c", text, "sh"] + arguments
        let result = try ChildProcess.run(words, input: input, options)
        return (result.outcome.shellStatus, result.output, String(decoding: result.error, as: UTF8.self))
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try FileSystem.read(folder(name), limit: 1 << 16), as: UTF8.self)
    }

    private func program(_ name: String, _ text: String) throws {
        try FileSystem.makeDirectory(folder("bin"))
        try AtomicFile.write("#!/bin/sh\n\(text)\n", to: folder("bin").appending(name), permissions: 0o755)
    }

    @Test("a file is written whole, or stays as it was", arguments: shells)
    func write(_ shell: String) throws {
        let (place, parent) = (folder("a folder/file").string, folder("a folder").string)
        let script = PackageResources.write_file_sh
        #expect(try run(script, [place, "name", "640", "", "3"], by: shell, input: Array("one".utf8)).status == 0)
        #expect(try text("a folder/file") == "one")
        #expect(try FileSystem.status(folder("a folder/file"))?.permissions == 0o640)
        let short = try run(script, [place, "name", "600", "", "9"], by: shell, input: Array("two".utf8))
        #expect(short.status == 1 && short.error == "the connection broke\n")
        #expect(try text("a folder/file") == "one")
        // A folder takes it under its name, and is not replaced.
        #expect(try run(script, [parent, "name", "600", "", "3"], by: shell, input: Array("two".utf8)).status == 0)
        #expect(try run(script, [parent, "", "600", "", "3"], by: shell, input: Array("two".utf8)).status == 1)
        #expect(try FileSystem.list(folder("a folder")).sorted() == ["file", "name"])
    }

    @Test("an upload whose connection is gone leaves nothing, though nobody hears why it failed", arguments: shells)
    func goneConnection(_ shell: String) throws {
        // The input ends when whoever would read the error has gone.
        let pipeline = #"sleep 0.3 | $1 -c "$2" sh "$3" name 600 "" 9 2>&1 | true"#
        for (script, name) in [
            (PackageResources.write_file_sh, "plain"),
            (PackageResources.tar_kind_sh + PackageResources.unpack_file_sh, "sparse"),
        ] {
            let place = folder("\(name)/file").string
            let result = try ChildProcess.run(
                ["sh", "-c", pipeline, "sh", shell, BuiltInScript.text(script), place], ChildProcess.Options())
            #expect(result.outcome.isSuccess)
            #expect(try FileSystem.list(folder(name)) == [])
        }
    }

    @Test("what is read is unpacked the same", arguments: shells)
    func transfer(_ shell: String) throws {
        _ = try folder.file("from/file", Array("text".utf8))
        let sent = try run(PackageResources.read_path_sh, [folder("from").string], by: shell)
        #expect(sent.status == 0 && sent.output.starts(with: Array("d\n".utf8)))
        let unpack = PackageResources.tar_kind_sh + PackageResources.unpack_folder_sh
        let archive = Array(sent.output.dropFirst(2))
        let answer = try run(unpack, [folder("to").string, "", ""], by: shell, input: archive)
        #expect(answer.status == 0 && answer.output == Array("sparse\n".utf8))
        #expect(try text("to/file") == "text")
        // It goes into a folder that is there.
        #expect(try run(unpack, [folder("to").string, "name", "owned"], by: shell, input: archive).status == 0)
        #expect(try text("to/name/file") == "text")

        let file = try run(PackageResources.read_path_sh, [folder("from/file").string], by: shell)
        #expect(file.status == 0 && file.output.starts(with: Array("f\n".utf8)))
        let single = PackageResources.tar_kind_sh + PackageResources.unpack_file_sh
        let place = folder("other/single")
        let arguments = [place.string, "", "604", ""]
        #expect(try run(single, arguments, by: shell, input: Array(file.output.dropFirst(2))).status == 0)
        #expect(try text("other/single") == "text")
        #expect(try FileSystem.status(place)?.permissions == 0o604)
        #expect(try FileSystem.list(folder("other")) == ["single"])
    }

    @Test("a tar that knows no holes gets no file without them", arguments: shells)
    func simpleTar(_ shell: String) throws {
        try program("tar", "[ \"$1\" != --version ] || exit 1; exit 3")
        let script = PackageResources.tar_kind_sh + PackageResources.unpack_file_sh
        let path = "\(folder("bin")):/usr/bin:/bin"
        let answer = try run(script, [folder("file").string, "", "600", ""], by: shell, path: path)
        #expect(answer.status == 0 && answer.output == Array("whole\n".utf8))
        #expect(try FileSystem.list(folder.path) == ["bin"])
    }

    @Test("a file is printed; a folder and what is not there are refused", arguments: shells)
    func print(_ shell: String) throws {
        let file = try folder.file("-a file", Array("text".utf8))
        let script = PackageResources.print_file_sh
        #expect(try run(script, [file.string], by: shell).output == Array("text".utf8))
        #expect(try run(script, [folder.path.string], by: shell).error.hasPrefix("it is a folder"))
        #expect(try run(script, [folder("none").string], by: shell).status == 1)
        // What has no size of its own is read all the same.
        let answer = try run(PackageResources.read_path_sh, ["/proc/self/comm"], by: shell)
        #expect(answer.output.starts(with: Array("c\n".utf8)) && answer.output.count > 3)
        #expect(try run(PackageResources.read_path_sh, [folder("none").string], by: shell).status == 1)
    }

    @Test("an owner's numbers are those of a file that was given to it", arguments: shells)
    func owner(_ shell: String) throws {
        try program("chown", "echo \"$*\" >>\(folder("calls"))")
        let path = "\(folder("bin")):/usr/bin:/bin"
        let answer = try run(PackageResources.owner_ids_sh, ["dev:"], by: shell, path: path)
        let fields = String(decoding: answer.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        #expect(answer.status == 0 && fields.count > 4 && UInt32(fields[2]) != nil && UInt32(fields[3]) != nil)
        let file = String(try #require(fields.last))
        #expect(try text("calls") == "-- dev: \(file)\n")
        #expect(FileSystem.isAbsent(FilePath(file)))
    }

    @Test("the machine's key goes in, and the old ones go out once it is proved", arguments: shells)
    func exchange(_ shell: String) throws {
        let script = PackageResources.exchange_keys_sh
        let (old, other) = ("ssh-ed25519 OLD box", "# a note\nssh-rsa OTHER a * b")
        _ = try folder.file(".ssh/authorized_keys", Array("\(old)\n\(other)\n".utf8))
        let arguments = ["ssh-ed25519 NEW wander", "NEW", "OLD\nOLDER"]
        let unproved = try run(script, arguments, by: shell)
        #expect(unproved.status == 1 && unproved.output == Array("added\n".utf8))
        #expect(try text(".ssh/authorized_keys") == "\(old)\n\(other)\nssh-ed25519 NEW wander\n")
        let proved = try run(script, arguments, by: shell, input: Array("proved\n".utf8))
        #expect(proved.status == 0 && proved.output == Array("added\nremoved\n".utf8))
        #expect(try text(".ssh/authorized_keys") == "\(other)\nssh-ed25519 NEW wander\n")
    }

    @Test("a command of another user's is sudo's, whose status counts", arguments: shells)
    func switchUser(_ shell: String) throws {
        try program("sudo", "echo \"$1 $2 $3 $4\"; shift 5; exec \"$@\"")
        let path = "\(folder("bin")):/usr/bin:/bin"
        let command = ["dev", "sh", "-c", "echo \"$1\"; exit 7", "sh", "two  words"]
        let answer = try run(PackageResources.switch_user_sh, command, by: shell, path: path)
        #expect(answer.status == 7 && answer.output == Array("-n -H -u dev\ntwo  words\n".utf8))
    }

    @Test("without sudo it is doas's, and without both it is said", arguments: shells)
    func doas(_ shell: String) throws {
        try program("sh", "exec /bin/sh \"$@\"")
        try program("id", "echo 1000")
        let path = folder("bin").string
        let neither = try run(PackageResources.switch_user_sh, ["dev", "true"], by: shell, path: path)
        #expect(neither.status == 126 && neither.error.contains("neither sudo nor doas"))
        try program("doas", "echo \"$1 $2 $3 $4\"; shift 4; exec \"$@\"")
        let command = ["dev", "sh", "-c", "echo \"$1\"; exit 7", "sh", "two  words"]
        let answer = try run(PackageResources.switch_user_sh, command, by: shell, path: path)
        #expect(answer.status == 7 && answer.output == Array("-n -u dev --\ntwo  words\n".utf8))
    }
}
