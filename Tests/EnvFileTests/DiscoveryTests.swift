import EnvFile
import LinuxSystem
import SystemPackage
import Testing

@Suite struct DiscoveryTests {
    @Test("the search climbs to the first folder with a Wanderfile")
    func climbs() throws {
        let project = try Project("box: a\n")
        try FileSystem.makeDirectory(project.folder.pushing("src/deep"))
        project.options.workingDirectory = project.folder.pushing("src/deep")
        let environment = try project.load()
        #expect(environment.projectDirectory == project.folder)
        #expect(environment.file == project.folder.appending("Wanderfile"))
    }

    @Test("it does not climb above the home folder")
    func home() throws {
        let project = try Project("box: a\n")
        let inner = project.folder.appending("home")
        try FileSystem.makeDirectory(inner)
        project.options.workingDirectory = inner
        project.options.variables["HOME"] = inner.string
        #expect(throws: EnvFileError.notFound(start: inner)) { try project.load() }
    }

    @Test("two files of one folder are refused, and named")
    func ambiguous() throws {
        let project = try Project("box: a\n")
        try project.write("box: b\n", to: "wander.yaml")
        let error = EnvFileError.ambiguous(["Wanderfile", "wander.yaml"], folder: project.folder)
        #expect(throws: error) { try project.load() }
        #expect(error.summary == "\(project.folder) holds both Wanderfile and wander.yaml")
        project.options.file = "wander.yaml"
        #expect(try project.load().machines[0].box.description == "b")
    }

    @Test("other names work, each with its own local layer", arguments: ["Wanderfile.yaml", "wander.yaml"])
    func names(name: String) throws {
        let project = try Project()
        try project.write("box: a\n", to: name)
        try project.write("cpus: 7\n", to: "\(name).local")
        #expect(try project.load().machines[0].cpus == 7)
    }

    @Test(
        "a folder's name becomes a name",
        arguments: [
            ("My Shop", "my-shop"), ("2048", "env-2048"), ("--", "environment"), ("Ünïcode", "n-code"),
            ("a.b_c", "a-b-c"),
        ])
    func cleanedNames(folder: String, name: String) throws {
        #expect(try Project("box: a\n", named: folder).load().name == name)
    }
}
