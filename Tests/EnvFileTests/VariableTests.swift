import EnvFile
import SystemPackage
import Testing

@Suite struct VariableTests {
    @Test(
        "what a value becomes",
        arguments: [
            ("${A}", "va"), ("x${A}y${B}z", "xvayvbz"), ("${U:-d}", "d"), ("${EMPTY:-d}", "d"), ("${A:-d}", "va"),
            ("${A:?no}", "va"), ("$$", "$"), ("$${A}", "${A}"), ("$A", "$A"), ("a$", "a$"), ("${U:-}", ""),
            ("${U:-a:-b}", "a:-b"), ("${machine.name}", "default"), ("${machine.index}", "1"),
            ("${project.name}", "shop"),
            ("${host.user}", "ada"), ("${EMPTY}", ""), ("é${A}ü", "évaü"),
        ])
    func filling(text: String, expected: String) throws {
        let project = try Project("box: a\nvars: { A: va }\nenv: { X: \"\(text)\" }\n")
        project.options.variables["B"] = "vb"
        project.options.variables["EMPTY"] = ""
        #expect(try project.load().machines[0].environment == ["X": expected])
    }

    @Test("a default gives way to env_files, and these to the environment; '.env' is found by itself")
    func precedence() throws {
        let project = try Project("box: a\nvars: { A: one, B: }\nlabels: { v: \"${A} ${B} ${C} ${D}\" }\n")
        try project.write(
            "# comment\nexport A=two\nB='two # not'\nC=\"two\\n\\\"q\\\"\" \nD= two # comment\r\n\n", to: ".env")
        project.options.variables["B"] = "three"
        #expect(project.problems().contains("'v' must be on one line"))
        project.options.variables["C"] = "three"
        try project.write("B=two\nD=four\n", to: ".env")
        #expect(try project.load().machines[0].labels == ["v": "one three three four"])
    }

    @Test("'--set' is above the environment, which is above '.env' and the defaults of every layer")
    func overriding() throws {
        let project = try Project(
            "box: a\nvars: { N: \"1\", M: { default: \"1\", description: d } }\nlabels: { v: \"${N}${M}\" }\n")
        func value() throws -> String? { try project.load().machines[0].labels["v"] }
        #expect(try value() == "11")
        try project.write("vars: { N: \"2\", M: \"2\" }\n", to: "Wanderfile.local")
        #expect(try value() == "22")
        try project.write("N=3\nM=3\n", to: ".env")
        #expect(try value() == "33")
        project.options.variables["N"] = "4"
        #expect(try value() == "43")
        project.options.overrides = ["vars.N=5", "vars.M.default=5"]
        #expect(try value() == "55")
    }

    @Test("env_files that are listed must be there and be right")
    func envFiles() throws {
        let project = try Project("box: a\nenv_files: [x.env]\n")
        #expect(project.problems().contains("Wanderfile:2:13: error: there is no file 'x.env'"))
        try project.write("1A=b\nnothing\nC='open\n", to: "x.env")
        let problems = project.problems()
        #expect(problems.contains("x.env:1:1: error: '1A' is no name of a variable"))
        #expect(problems.contains("x.env:2:1: error: this line is no 'NAME=value'"))
        #expect(problems.contains("x.env:3:1: error: a quote is not closed"))
    }

    @Test("scripts, commands and contents are left alone")
    func bodies() throws {
        let machine = try machine(
            """
            box: a
            provision: [{ run: "echo ${NOT_SET} $$" }]
            ready: [{ run: "test ${NOT_SET}" }]
            files: [{ path: /a, content: "${NOT_SET}" }]
            """)
        #expect(machine.provision[0].action == .inline("echo ${NOT_SET} $$"))
        #expect(machine.ready[0].check == .run("test ${NOT_SET}"))
        #expect(machine.files[0].content == .text("${NOT_SET}"))
    }

    @Test("variables may stand wherever a value is read, also for numbers, sizes and ports")
    func everywhere() throws {
        let machine = try machine(
            "box: \"${B:-debian/12}\"\ncpus: ${C:-3}\nmemory: ${M:-2}GiB\nports: [\"${P:-8080}:80\"]\nautostart: ${A:-false}\n"
        )
        #expect(machine.cpus == 3)
        #expect(machine.memory == 2 << 30)
        #expect(machine.ports[0].hostPort == 8080)
        #expect(!machine.autostart)
    }

    @Test("filling in cannot multiply a file without bound")
    func bound() throws {
        let big = String(repeating: "x", count: 60_000)
        let many = (0..<100).map { "V\($0): \"${BIG}\"" }.joined(separator: ", ")
        let project = try Project("box: a\nvars: { BIG: \(big) }\nenv: { \(many) }\n")
        #expect(project.problems().contains("the values grow above 4 MiB once variables are filled in"))
    }
}
