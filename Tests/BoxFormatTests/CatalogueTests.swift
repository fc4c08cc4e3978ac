import JSON
import SystemPackage
import Testing

@testable import BoxFormat

@Suite struct CatalogueTests {
    /// `providers` as `name`, `name/architecture` or `name/architecture*` (the default one).
    private func catalogue(_ versions: [(String, [String])], name: String = "foo") throws -> Catalogue {
        let value: JSONValue = [
            "name": .string(name),
            "versions": .array(
                versions.map { version, providers in
                    [
                        "version": .string(version),
                        "providers": .array(
                            providers.map { text in
                                let parts = text.split(separator: "/")
                                var entry = [
                                    JSONMember("name", .string(String(parts[0]))), JSONMember("url", .string(text)),
                                ]
                                if parts.count > 1 {
                                    let isDefault = parts[1].hasSuffix("*")
                                    let architecture = String(isDefault ? parts[1].dropLast() : parts[1])
                                    entry.append(JSONMember("architecture", .string(architecture)))
                                    entry.append(JSONMember("default_architecture", .bool(isDefault)))
                                }
                                return .object(entry)
                            }),
                    ]
                }),
        ]
        return try Catalogue(parsing: Array(value.compact.utf8), place: "test")
    }

    private func chosen(
        _ catalogue: Catalogue, _ requirement: String, _ architecture: Architecture? = nil, providers: [String]
    ) throws -> String? {
        catalogue.choose(try VersionRequirement(requirement), architecture: architecture, providers: providers)?
            .version.description
    }

    @Test("chooses the highest version that satisfies the requirement and has the provider")
    func choice() throws {
        let list = try catalogue([
            ("1.0.0", ["virtualbox", "vmware"]), ("1.1.5", ["virtualbox"]),
            ("1.1.0", ["virtualbox", "vmware/test-arch"]),
        ])
        #expect(list.versions.map(\.version.description) == ["1.1.5", "1.1.0", "1.0.0"])
        let any = ["virtualbox", "vmware"]
        #expect(try chosen(list, "1.0.0", providers: any) == "1.0.0")
        #expect(try chosen(list, ">= 1.0", providers: any) == "1.1.5")
        #expect(try chosen(list, ">= 0.9, ~> 1.0.0", providers: any) == "1.0.0")
        #expect(try chosen(list, ">= 0", Architecture("test-arch"), providers: ["vmware"]) == "1.1.0")
        #expect(try chosen(list, ">= 0", Architecture("test-arch"), providers: ["virtualbox"]) == nil)
        #expect(try chosen(list, ">= 0", providers: ["vmware"]) == "1.0.0")
    }

    @Test("takes the host's architecture, else one that does not say its own and is the default")
    func architectures() throws {
        let list = try catalogue([
            ("1.0.0", ["libvirt/amd64*", "libvirt/arm64"]), ("1.1.6", ["libvirt/arm64*"]), ("2.0.0", ["qemu/arm64*"]),
        ])
        #expect(try chosen(list, ">= 0", .amd64, providers: Catalogue.providers) == "1.0.0")
        #expect(try chosen(list, ">= 0", .arm64, providers: Catalogue.providers) == "2.0.0")
        let unknown = try catalogue([("1", ["libvirt/unknown*"]), ("2", ["libvirt/unknown"]), ("3", ["libvirt/mips*"])])
        #expect(try chosen(unknown, ">= 0", providers: ["libvirt"]) == "1")
        let old = try catalogue([("1", ["libvirt"])])
        #expect(try chosen(old, ">= 0", providers: ["libvirt"]) == "1")
        #expect(try chosen(old, ">= 0", .amd64, providers: ["libvirt"]) == nil)
    }

    @Test(
        "refuses a document that is malformed anywhere",
        arguments: [
            #"{"name":"foo"},"#, "[]", #"{"versions":[]}"#,
            #"{"name":"foo","versions":[{"version":"I AM NOT VALID"}]}"#,
            #"{"name":"foo","versions":[{"version":"1","providers":[{"name":"libvirt"}]}]}"#,
            #"{"name":"foo","versions":[{"version":"1","providers":[{"name":"libvirt","url":"x","checksum":"xyz"}]}]}"#,
        ])
    func malformed(text: String) {
        let error = #expect(throws: BoxSourceError.self) { try Catalogue(parsing: Array(text.utf8), place: "test") }
        guard case .invalidCatalogue("test", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("fills templates, and leaves out those that need a user where there is none")
    func templates() throws {
        let template = CatalogueTemplate("https://x/{user}/{name}.json")
        #expect(try template.location(of: BoxName("team/debian")) == .web("https://x/team/debian.json"))
        #expect(try template.location(of: BoxName("debian")) == nil)
        #expect(try CatalogueTemplate("file:///srv/{box}.json").location(of: BoxName("a/b")) == .file("/srv/a/b.json"))
        #expect(CatalogueTemplate.read("# mine\n a/{box}\tb\n\nc").map(\.description) == ["a/{box}", "b", "c"])
    }

    @Test("shows locations without what may be secret")
    func shown() throws {
        #expect(try BoxLocation("https://me:secret@host:8/a/b.box?token=secret#x").shown == "https://host:8/a/b.box")
        #expect(try BoxLocation("https://me:p@ss@host/a@b").shown == "https://host/a@b")
        #expect(try BoxLocation("file:///a%20b") == .file("/a b"))
        #expect(try BoxLocation("x.box", relativeTo: "/srv") == .file("/srv/x.box"))
        for text in ["ftp://host/x", "https://", "https:// host/", "file://host/x", "a\nb", "", "file:///%00"] {
            #expect(throws: BoxSourceError.self, "\(text)") { try BoxLocation(text) }
        }
        let error = #expect(throws: BoxSourceError.self) { try BoxLocation("sftp://me:secret@host/x") }
        #expect(error?.summary.contains("secret") == false)
    }

    @Test("resolves what a catalogue says relative to where it is")
    func resolving() throws {
        let web = try BoxLocation("https://host/boxes/list.json?x=1")
        #expect(try web.resolving("a/b.box") == .web("https://host/boxes/a/b.box"))
        #expect(try web.resolving("/b.box") == .web("https://host/b.box"))
        #expect(try web.resolving("http://other/b.box") == .web("http://other/b.box"))
        #expect(try BoxLocation("https://host").resolving("b.box") == .web("https://host/b.box"))
        #expect(try BoxLocation("/srv/list.json").resolving("b.box") == .file("/srv/b.box"))
    }
}
