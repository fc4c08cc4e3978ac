import EnvFile
import JSON
import NetworkAddress
import Reporting
import Testing

/// `proxy`, `ca_certificates` and `secrets`.
@Suite struct SurroundingsTests {
    private func machine(_ text: String, host: [String: String] = [:]) throws -> MachineDefinition {
        let project = try Project("box: debian/12\n\(text)\n")
        project.options.variables.merge(host) { _, new in new }
        return try #require(try project.load().machines.first)
    }

    @Test("one URL is for both, each may have its own, and what is in a layer below stays")
    func proxy() throws {
        let url = "http://proxy.example.test:3128"
        let one = try #require(try machine("proxy: \(url)").proxy)
        #expect(one.http?.description == url && one.https?.description == url && one.exceptions.isEmpty)
        let two = try #require(
            try machine("proxy: { url: \(url)/, https: \"https://[2001:db8::1]:8443\", no_proxy: [.test, 10.0.0.0/8] }")
                .proxy)
        #expect(two.http?.description == url && two.https?.description == "https://[2001:db8::1]:8443")
        #expect(two.exceptions == [".test", "10.0.0.0/8"])
        #expect(try machine("cpus: 1").proxy == nil)
    }

    @Test("this host's variables are taken in small letters and in capitals, with and without a scheme")
    func host() throws {
        let given = try machine(
            "proxy: host",
            host: [
                "http_proxy": "proxy.example.test:3128", "HTTPS_PROXY": "http://ada:pass@other.test:8080/",
                "no_proxy": ".example.test, 10.0.0.1,bad'quote",
            ])
        let proxy = try #require(given.proxy)
        #expect(proxy.http?.description == "http://proxy.example.test:3128")
        #expect(proxy.https?.description == "http://ada:pass@other.test:8080")
        #expect(proxy.exceptions == [".example.test", "10.0.0.1"])
        #expect(given.hostPorts.isEmpty)
        #expect(try machine("proxy: host").proxy == nil)
        #expect(
            try machine("proxy: host", host: ["http_proxy": "", "all_proxy": "http://all.test"]).proxy?.https?.host
                == "all.test")
    }

    @Test("a proxy of this host's loopback interface is reached as host.internal, and its port with it")
    func loopback() throws {
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            let given = try machine(
                "proxy: host\nhost_ports: [5432]",
                host: ["http_proxy": "http://\(name):3128", "https_proxy": "http://\(name)"])
            #expect(given.proxy?.http?.description == "http://host.internal:3128")
            #expect(given.proxy?.https?.description == "http://host.internal:80")
            #expect(given.hostPorts.map(\.description) == ["5432", "3128", "80"])
        }
        // Written down, it is the machine's own.
        let own = try machine("proxy: http://localhost:3128")
        #expect(own.proxy?.http?.host == "localhost" && own.hostPorts.isEmpty)
    }

    @Test("a password is in nothing that is shown or written down, and is known as a secret")
    func password() throws {
        let given = try machine("proxy: http://ada:t0p-secret@proxy.test:3128")
        #expect(!given.canonicalJSON.compact.contains("t0p-secret"))
        #expect(given.canonicalJSON["proxy"]?["http"] == "http://***@proxy.test:3128")
        #expect(given.proxy?.secrets.contains("t0p-secret") == true)
        #expect(try machine("proxy: http://proxy.test").proxy?.secrets == [])
    }

    @Test(
        "what is no proxy is told with its place",
        arguments: [
            ("proxy: proxy.test:3128", "Wanderfile:2:8: error: 'proxy' must be 'host', or a proxy's URL"),
            ("proxy: socks5://proxy.test", "must be 'host', or a proxy's URL"),
            ("proxy: \"http://a b\"", "must be"), ("proxy: \"http://a'b\"", "must be"),
            ("proxy: \"http://a$(b)\"", "must be"), ("proxy: \"http://host:0\"", "must be"),
            ("proxy: { no_proxy: [a] }", "'proxy' names no proxy"),
            ("proxy: { http: host }", "must be a proxy's URL"),
            ("proxy: { url: http://p, no_proxy: [\"a'b\"] }", "Wanderfile:2:"),
        ])
    func wrong(_ text: String, _ message: String) throws {
        let problems = try Project("box: debian/12\n\(text)\n").problems()
        #expect(problems.contains(message), "\(problems)")
    }

    @Test("this host's variable that is no URL is a warning")
    func strangeHost() throws {
        let project = try Project("box: debian/12\nproxy: host\n")
        project.options.variables["http_proxy"] = "socks5://proxy.test"
        #expect(project.problems().contains("warning: this host's 'http_proxy' is no URL of an HTTP proxy"))
    }

    @Test("secrets come from one place each; steps name those that they need")
    func secrets() throws {
        let given = try machine(
            """
            secrets: { B: { run: pass show b }, A: { env: TOKEN }, C: { file: ~/c } }
            provision: [{ run: make, secrets: [A, C] }, { run: other }]
            """)
        #expect(given.secrets.map(\.name) == ["A", "B", "C"])
        #expect(given.secrets[0].source == .environment("TOKEN") && given.secrets[1].source == .command("pass show b"))
        #expect(given.provision.map(\.secrets) == [["A", "C"], []])
        #expect(given.canonicalJSON["secrets"]?["A"] == ["env": "TOKEN"])
    }

    @Test(
        "a mistake in a secret is told with its place",
        arguments: [
            ("secrets: { A: { env: B, file: c } }", "Wanderfile:2:"),
            ("secrets: { A: {} }", "Wanderfile:2:"),
            ("secrets: { A-B: { env: B } }", "Wanderfile:2:12: error:"),
            (
                "secrets: { TOKEN: { env: T } }\nprovision: [{ run: x, secrets: [TOKN] }]",
                "Wanderfile:3:33: error: the machine has no secret 'TOKN'"
            ),
            ("provision: [{ run: x, secrets: [A] }]", "Add 'secrets: { A: { env: A } }' to the machine."),
            ("secrets: { A: { env: A } }\nprovision: [{ reboot: true, secrets: [A] }]", "takes no 'secrets'"),
        ])
    func wrongSecret(_ text: String, _ message: String) throws {
        let problems = try Project("box: debian/12\n\(text)\n").problems()
        #expect(problems.contains(message), "\(problems)")
    }

    @Test("certificates are files of the host, and one that is not there is told with its place")
    func certificates() throws {
        let project = try Project("box: debian/12\nca_certificates: [company.pem, other.pem]\n")
        try project.write("x", to: "company.pem")
        let environment = try project.load()
        #expect(environment.machines[0].caCertificates.map(\.text) == ["company.pem", "other.pem"])
        let problems = environment.hostProblems(for: environment.machines).map(\.rendered)
        #expect(problems.count == 1)
        #expect(problems.first?.contains("2:32: error: the certificate 'other.pem' is not there") == true)
    }
}
