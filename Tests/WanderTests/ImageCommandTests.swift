import BoxFormat
import JSON
import LinuxSystem
import SystemPackage
import Testing

/// Images by name, as a user types them.
@Suite struct ImageCommandTests {
    /// A folder of its own, with publishers that nobody reaches.
    private func project() throws -> (folder: ProjectFolder, wander: WanderProcess) {
        let folder = try ProjectFolder()
        try FileSystem.remove(folder.path.appending("Wanderfile"))
        var wander = folder.wander
        for word in ["DEBIAN", "UBUNTU"] { wander.environment["WANDER_MIRROR_\(word)"] = "http://127.0.0.1:1/\(word)" }
        return (folder, wander)
    }

    private func makeImage(_ path: FilePath, format: String = "qcow2") throws {
        let made = try ChildProcess.run(["qemu-img", "create", "-q", "-f", format, path.string, "16M"])
        try #require(made.outcome.isSuccess)
    }

    private func box(_ wander: WanderProcess, _ name: String) throws -> JSONValue {
        let shown = try wander.run("box", "show", name, "--json")
        return try #require(shown.json?["boxes"]?.arrayValue?.first)
    }

    @Test("offline, the error says which file to get and what adds it; that line works")
    func offline() throws {
        let (folder, wander) = try project()
        defer { withExtendedLifetime(folder) {} }
        let failed = try wander.run("box", "add", "debian/13")
        #expect(failed.status == 6)
        let file = "debian-13-genericcloud-amd64.qcow2"
        #expect(failed.error.contains("http://127.0.0.1:1/DEBIAN/trixie/latest/\(file)"))
        #expect(failed.error.contains("http://127.0.0.1:1/DEBIAN/trixie/latest/SHA512SUMS"))
        let line = try #require(
            failed.error.split(separator: "\n").first { $0.contains("wander box add") }
                .flatMap { $0.firstRange(of: "wander box add").map { range in failed.error[range.lowerBound...] } })
        let words = line.prefix { $0 != "\n" }.split(separator: " ").dropFirst().map(String.init)
        #expect(words == ["box", "add", "debian/13", file])
        try makeImage(folder.path.appending(file))
        #expect(try wander.run(words: words).status == 0)
        let box = try box(wander, "debian/13")
        #expect(box["user"]?.stringValue == "debian" && box["cloudInit"]?.boolValue == true)
        #expect(box["smallestMemory"]?.integerValue == 256 << 20)
        #expect(try wander.run("init", "debian/13").output.hasPrefix("Wrote Wanderfile. Next: 'wander up'"))
    }

    @Test("search lists what has a name, where from, and finds words; nothing found is not found")
    func search() throws {
        let (folder, wander) = try project()
        defer { withExtendedLifetime(folder) {} }
        let all = try wander.run("box", "search")
        #expect(all.status == 0 && all.output.contains("ubuntu/24.04") && all.output.contains("wander box build tiny"))
        let images = try #require(try wander.run("box", "search", "trixie", "--json").json?["images"]?.arrayValue)
        #expect(images.map { $0["name"]?.stringValue } == ["debian/13", "debian/13-generic"])
        #expect(images[0]["origin"]?.stringValue == "built in" && images[0]["isStored"]?.boolValue == false)
        let image = "http://127.0.0.1:1/DEBIAN/trixie/latest/debian-13-genericcloud-amd64.qcow2"
        #expect(images[0]["image"]?.stringValue == image)
        let none = try wander.run("box", "search", "debain")
        #expect(none.status == 3 && none.error.contains("Did you mean"))
        #expect(try wander.run("box", "search", "--catalogue").output == ImageCatalogue.builtInText)
        let check = try wander.run("box", "search", "noble", "--check", "--json")
        #expect(check.status == 6 && check.json?["failures"]?.integerValue == 1)
    }

    @Test("init takes a name of the catalogue, or the default, and says what is near an unknown one")
    func initialize() throws {
        let (folder, wander) = try project()
        defer { withExtendedLifetime(folder) {} }
        let ubuntu = try wander.run("init", "ubuntu/24.04")
        #expect(ubuntu.status == 0 && ubuntu.output.contains("Ubuntu 24.04 LTS (Noble Numbat)"))
        #expect(ubuntu.output.contains("\nNext: 'wander up' starts the machine"))
        #expect(try wander.run("init", "--force", "freebsd/15.1").output.contains("An experiment"))
        #expect(try wander.run("init", "--force", "--output", "-").output.contains("\nbox: debian/13\n"))
        let near = try wander.run("init", "--force", "ubuntu/noble")
        #expect(near.output.contains("wander init --force ubuntu/24.04"))
        let added = try wander.run("box", "add", "ubuntu")
        #expect(added.status == 6 && added.error.contains("Did you mean ubuntu/22.04, ubuntu/24.04"))
    }

    @Test("a catalogue beside the Wanderfile goes before the others; a mistake in it has its line")
    func catalogueOfProject() throws {
        let (folder, wander) = try project()
        try makeImage(folder.path.appending("ours.img"))
        let digest = try #require(
            String(
                decoding: ChildProcess.run(["sha256sum", folder.path.appending("ours.img").string]).output,
                as: UTF8.self
            )
            .split(separator: " ").first)
        try AtomicFile.write("\(digest)  ours.img\n", to: folder.path.appending("SUMS"))
        try AtomicFile.write("box: debian/13\n", to: folder.path.appending("Wanderfile"))
        let file = folder.path.appending("Wanderfile.catalogue")
        let entry =
            "images:\n  debian/13:\n    title: Ours\n    image: ours.img\n    checksums: SUMS\n    form: SHA256SUMS\n"
        try AtomicFile.write(entry + "    version: '1.2'\n    user: me\n", to: file)
        #expect(try wander.run("box", "search", "ours").output.contains(file.string))
        let added = try wander.run("box", "update")
        #expect(added.status == 0 && added.output.contains("debian/13: none -> 1.2"))
        #expect(try box(wander, "debian/13")["user"]?.stringValue == "me")
        let lock = String(decoding: try FileSystem.read(folder.path.appending("Wanderfile.lock")), as: UTF8.self)
        #expect(lock.contains(digest))
        for command in [["box", "outdated"], ["box", "outdated", "--global"]] {
            #expect(try wander.run(words: command).output == "debian/13: 1.2 is the newest\n")
        }
        try AtomicFile.write(entry + "    colour: red\n", to: file)
        let wrong = try wander.run("box", "search")
        #expect(wrong.status == 2 && wrong.error.contains("\(file):7:5: error: unknown key 'colour' in an image"))
    }

    @Test("an image of one's own is told what is in it, and that stays with it in a box")
    func ownImage() throws {
        let (folder, wander) = try project()
        try makeImage(folder.path.appending("disk"))
        #expect(try wander.run("box", "add", "--name", "team/x", "--user", "me", "--cloud-init", "disk").status == 0)
        #expect(try wander.run("box", "repackage", "team/x", "--output", "x.box").status == 0)
        #expect(try wander.run("box", "remove", "team/x").status == 0)
        #expect(try wander.run("box", "add", "x.box").status == 0)
        let box = try box(wander, "team/x")
        #expect(box["user"]?.stringValue == "me" && box["cloudInit"]?.boolValue == true)
        #expect(try wander.run("box", "add", "--name", "a", "--user", "a b", "disk").status == 64)
    }

    @Test(
        "a file that is not there is one, whatever it is to be called",
        arguments: [["--name", "a/b", "nothere"], ["nothere.qcow2"], ["./a"]])
    func noFile(words: [String]) throws {
        let (folder, wander) = try project()
        let result = try wander.run(words: ["box", "add"] + words)
        #expect(result.status == 3 && result.error.contains("there is no file \(folder.path)/"), "\(result.error)")
    }

    @Test("without qemu-img a VMDK names the package; a recipe that is not there names those that are")
    func missing() throws {
        let (folder, there) = try project()
        try makeImage(folder.path.appending("disk"), format: "vmdk")
        var wander = there
        wander.environment["PATH"] = folder.path.string
        let refused = try wander.run("box", "add", "--name", "a", "disk")
        #expect(refused.status == 5 && refused.error.contains("qemu-utils"))
        let recipe = try wander.run("box", "build", "tinny")
        #expect(recipe.status == 3 && recipe.error.contains("There are: debian, tiny."))
    }

    @Test("an installed wander runs the recipes beside it, and adds what they make")
    func build() throws {
        let (folder, there) = try project()
        var wander = there
        let program = folder.path.pushing("usr/bin/wander")
        let recipes = folder.path.pushing("usr/share/wander/boxes")
        try FileSystem.makeDirectory(program.removingLastComponent())
        try FileSystem.makeDirectory(recipes.appending("mini"))
        let copied = try ChildProcess.run(["cp", WanderProcess.executable().string, program.string])
        try #require(copied.outcome.isSuccess)
        try AtomicFile.write("", to: recipes.pushing("mini/recipe.sh"))
        let metadata = #"{"provider":"libvirt","format":"raw","wander":{"schema":1,"name":"own/mini","version":"3"}}"#
        let script = """
            #!/bin/sh
            test "$1 $2" = "mini --output" || exit 4
            test "$4" != --fail || exit 5
            cd "${3%/*}" && printf '%s' '\(metadata)' >metadata.json && printf disk >box.img
            exec tar cf "$3" metadata.json box.img
            """
        try AtomicFile.write(script, to: recipes.appending("build"), permissions: 0o755)
        wander.program = program
        let built = try wander.run("box", "build", "mini", "--json")
        #expect(built.status == 0 && built.json?["box"]?["name"]?.stringValue == "own/mini", "\(built.error)")
        #expect(try wander.run("box", "build", "mini").output.contains("There already: own/mini 3"))
        #expect(try wander.run("box", "build", "mini", "--output", "m.box").output.contains("wander box add"))
        #expect(try FileSystem.exists(folder.path.appending("m.box")))
        let failed = try wander.run("box", "build", "mini", "--", "--fail")
        #expect(failed.status == 1 && failed.error.contains("failed with status 5"))
        #expect(try wander.run("box", "build", "nini").error.contains("There are: mini."))
    }
}
