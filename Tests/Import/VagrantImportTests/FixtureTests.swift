import EnvFile
import LinuxSystem
import SystemPackage
import TestSupport
import Testing
import VagrantImport

/// Vagrantfiles of every shape that people write, and the Wanderfiles that become of them.
@Suite struct FixtureTests {
    @Test("the Wanderfile, and everything that is told", arguments: Fixture.names)
    func golden(name: String) throws {
        let result = try VagrantImport(reading: Fixture.path(name, "Vagrantfile"))
        let (wanderfile, remarks) = (try Fixture.text(name, "Wanderfile"), try Fixture.text(name, "remarks"))
        #expect(result.text == wanderfile)
        #expect(Fixture.remarks(result) == remarks)
        let environment = try Fixture.environment(result.text, in: Fixture.folder.appending(name))
        #expect(environment.machines.map(\.name) == result.machines)
        #expect(!environment.machines.isEmpty)
    }

    @Test("there are fixtures of both kinds")
    func count() throws {
        let incomplete = try Fixture.names.filter { name in
            try VagrantImport(reading: Fixture.path(name, "Vagrantfile")).isIncomplete
        }
        #expect(Fixture.names.count >= 20)
        #expect(incomplete.count >= 8)
        #expect(Fixture.names.count - incomplete.count >= 8)
    }

    @Test("every line that a comment names is there, and has something")
    func lines() throws {
        for name in Fixture.names {
            let source = try Fixture.text(name, "Vagrantfile").split(separator: "\n", omittingEmptySubsequences: false)
            for line in try Fixture.text(name, "Wanderfile").split(separator: "\n") {
                guard let range = line.firstRange(of: "# from Vagrantfile:") else { continue }
                let number = try #require(Int(line[range.upperBound...]))
                try #require((1...source.count).contains(number), "\(name): \(line)")
                let isBlank = source[number - 1].allSatisfy { $0.isWhitespace }
                #expect(!isBlank, "\(name): \(line)")
            }
        }
    }

    @Test("with --keep-release a box keeps its name")
    func keepsRelease() throws {
        let result = try VagrantImport(reading: Fixture.path("single", "Vagrantfile"), keepsRelease: true)
        #expect(result.text.contains("\nbox: ubuntu/xenial64  # from Vagrantfile:3\n"))
    }

    @Test("a file that is not there, or is a folder, is an error")
    func missing() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("Vagrantfile")
        #expect(throws: VagrantImportError.missing(path)) { try VagrantImport(reading: path) }
        try FileSystem.makeDirectory(path)
        #expect(throws: VagrantImportError.self) { try VagrantImport(reading: path) }
    }

    @Test(
        "a file with nothing to run says why",
        arguments: [
            ("config.vm.provider('docker') { |d| d.build_dir = '.' }", "line 2: provider \"docker\""),
            ("config.vm.box = 'msedge.win10'", "line 2: vm.box"), ("x = 1", "Vagrant.configure"),
        ])
    func nothing(line: String, start: String) {
        let text = "Vagrant.configure(2) do |config|\n\(line)\nend\n"
        let result = VagrantImport(Array(text.utf8), named: "Vagrantfile", in: "/nonexistent")
        #expect(result.machines.isEmpty)
        let detail = VagrantImportError.nothing("/nonexistent/Vagrantfile", result.remarks(.dropped)).detail
        #expect(detail?.hasPrefix(start) == true, "\(detail ?? "")")
    }

    @Test("settings are read in the file's own folder alone, also by links")
    func confinement() throws {
        let outside = try TemporaryFolder()
        try AtomicFile.write("secret: hunter2\n", to: outside.path.appending("secret.yml"))
        let folder = try TemporaryFolder()
        #expect(try FileSystem.status(outside.path.appending("secret.yml")) != nil)
        try symbolicLink(outside.path.appending("secret.yml"), at: folder.path.appending("link.yml"))
        let text = """
            Vagrant.configure("2") do |c|
              c.vm.box = "debian/bookworm64"
              c.vm.provision "shell", inline: "a " + File.read("link.yml")
              c.vm.provision "shell", inline: "b " + File.read("\(outside.path)/secret.yml")
              c.vm.provision "shell", inline: "c " + YAML.load_file("../\(outside.path.lastComponent?.string ?? "")/secret.yml")["secret"]
              c.vm.provision "shell", inline: "d"
            end
            """
        let result = VagrantImport(Array(text.utf8), named: "Vagrantfile", in: folder.path)
        #expect(!result.text.contains("hunter2"))
        #expect(result.text.contains("run: \"d\""))
        #expect(result.remarks.filter(\.isImportant).map(\.line) == [3, 4, 5])
    }

    private func symbolicLink(_ target: FilePath, at path: FilePath) throws {
        let status = try ChildProcess.run(["/bin/ln", "-s", target.string, path.string]).outcome.shellStatus
        #expect(status == 0)
    }
}
