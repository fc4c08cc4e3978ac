import LinuxSystem
import SystemPackage
import Testing

/// A box that is not there: what is the case, and lines that get it.
@Suite struct BoxAdviceTests {
    @Test("init says that the box is in no store, with what gets it; and names the one that is")
    func initialize() throws {
        let folder = try ProjectFolder()
        let own = try folder.wander.run("init", "wander/tiny", "--force")
        #expect(own.status == 0)
        #expect(own.output.contains("wander box build tiny"))
        #expect(
            try folder.wander.run("init", "--force", "team/x").output.contains(
                "wander box add --name team/x FILE_OR_URL"))
        let metadata = """
            {"provider":"libvirt","format":"raw","wander":{"schema":1,"name":"wander/tiny","version":"1.0",
            "architecture":"amd64"}}
            """
        try AtomicFile.write(metadata, to: folder.path.appending("metadata.json"))
        try AtomicFile.write([UInt8](repeating: 7, count: 4096), to: folder.path.appending("box.img"))
        let packed = try ChildProcess.run(["tar", "cf", "a.box", "metadata.json", "box.img"], folder.wander.options)
        try #require(packed.outcome.isSuccess)
        #expect(try folder.wander.run("box", "add", "a.box").status == 0)
        #expect(try folder.wander.run("init", "tiny", "--force").output.contains("wander init --force wander/tiny"))
        let there = try folder.wander.run("init", "wander/tiny", "--force")
        #expect(there.output == "Wrote Wanderfile. Next: 'wander up' starts the machine, 'wander ssh' logs in.\n")
    }

    @Test("a catalogue that cannot be asked is not one that lacks the box")
    func unreachable() throws {
        let folder = try ProjectFolder()
        var wander = folder.wander
        wander.environment["WANDER_CATALOGUES"] = "http://catalogue.invalid/{box}"
        let error = try wander.run("box", "add", "wander/tiny")
        #expect(error.status == 6)
        #expect(error.error.contains("cannot ask the catalogue for the box 'wander/tiny'"))
        #expect(!error.error.contains("no catalogue has"))
        #expect(error.error.contains("https_proxy") && error.error.contains("wander box build tiny"))
        wander.environment["WANDER_CATALOGUES"] = "file://\(folder.path)/{box}.json"
        #expect(try wander.run("box", "add", "team/x").error.contains("no catalogue has the box 'team/x'"))
    }
}
