import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// `wander import`, as users and scripts run it.
@Suite struct ImportCommandTests {
    private static let whole = """
        Vagrant.configure("2") do |config|
          config.vm.box = "debian/bookworm64"
          config.vm.network "forwarded_port", guest: 80, host: 8080
        end

        """

    /// A folder with a Vagrantfile, and a wander that runs there.
    private func inFolder(_ vagrantfile: String, _ body: (FilePath, WanderProcess) throws -> Void) throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(vagrantfile, to: folder.path.appending("Vagrantfile"))
        try body(folder.path, WanderProcess(directory: folder.path))
    }

    @Test("writes a Wanderfile that validates, and never over another without --force")
    func writes() throws {
        try inFolder(Self.whole) { folder, wander in
            let result = try wander.run("import")
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("Wrote Wanderfile: 1 machine, default\n"))
            let text = String(decoding: try FileSystem.read(folder.appending("Wanderfile")), as: UTF8.self)
            #expect(text.contains("\n  - \"8080:80\"  # from Vagrantfile:3\n"))
            #expect(try wander.run("validate").status == 0)
            #expect(!FileSystem.isAbsent(folder.pushing(".wander/schema.json")))
            let second = try wander.run("import")
            #expect(second.status == 10)
            #expect(second.error.contains("--force"))
            #expect(try wander.run("import", "--force").status == 0)
            #expect(try wander.run("init", "--from", "Vagrantfile").status == 10)
            #expect(try wander.run("init", "--from", "Vagrantfile", "--output", "other").status == 0)
            #expect(!FileSystem.isAbsent(folder.appending("other")))
        }
    }

    @Test("--check and '--output -' write nothing")
    func check() throws {
        try inFolder(Self.whole) { folder, wander in
            let result = try wander.run("import", "--check")
            #expect(result.status == 0)
            #expect(result.output.contains("Taken:\n  Vagrantfile:2"))
            #expect(try wander.run("import", "--output", "-").output.hasPrefix("# Made by 'wander import'"))
            let document = try wander.run("import", "--check", "--json")
            #expect(document.json?["machines"] == ["default"])
            #expect(document.json?["isComplete"] == true)
            #expect(document.json?["file"] == .null)
            #expect(document.json?["taken"]?.arrayValue?.first?["line"] == 2)
            #expect(try FileSystem.list(folder) == ["Vagrantfile"])
        }
    }

    @Test("what the machines need and is missing ends it with 12; with no machine left nothing is written")
    func incomplete() throws {
        let text = "Vagrant.configure(2) { |c| c.vm.box = 'debian/bookworm64'\n c.vm.network 'public_network' }\n"
        try inFolder(text) { folder, wander in
            let result = try wander.run("import", "--json")
            #expect(result.status == 12)
            #expect(result.json?["isComplete"] == false)
            #expect(result.json?["dropped"]?.arrayValue?.first?["isImportant"] == true)
            #expect(!FileSystem.isAbsent(folder.appending("Wanderfile")))
        }
        try inFolder("Vagrant.configure(2) { |c| c.vm.box = 'acme/windows-11' }\n") { folder, wander in
            let result = try wander.run("import")
            #expect(result.status == 12)
            #expect(result.error.contains("has no machine that wander can run"))
            #expect(result.error.contains("is Windows"))
            #expect(FileSystem.isAbsent(folder.appending("Wanderfile")))
        }
    }

    @Test("where there is a Vagrantfile only, or one that is called Wanderfile, messages name the import")
    func offered() throws {
        try inFolder(Self.whole) { folder, wander in
            let up = try wander.run("up")
            #expect(up.status == 3)
            #expect(up.error.contains("There is a Vagrantfile. Make a Wanderfile of it: wander import"))
            try FileSystem.makeDirectory(folder.appending("inner"))
            let inner = try WanderProcess(directory: folder.appending("inner")).run("status")
            #expect(inner.error.contains("cd \(folder) && wander import"))
            try FileSystem.rename(folder.appending("Vagrantfile"), to: folder.appending("Wanderfile"))
            let wrong = try wander.run("up")
            #expect(wrong.status == 2)
            #expect(wrong.error.contains("mv Wanderfile Vagrantfile && wander import"))
        }
    }

    @Test("a folder stands for its Vagrantfile, beside which the Wanderfile goes")
    func folder() throws {
        try inFolder(Self.whole) { folder, _ in
            let elsewhere = try TemporaryFolder()
            let result = try WanderProcess(directory: elsewhere.path).run("import", folder.string)
            #expect(result.status == 0)
            #expect(!FileSystem.isAbsent(folder.appending("Wanderfile")))
            #expect(try FileSystem.list(elsewhere.path).isEmpty)
            #expect(try WanderProcess(directory: elsewhere.path).run("import").status == 3)
        }
    }
}
