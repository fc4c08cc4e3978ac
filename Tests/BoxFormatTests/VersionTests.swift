import Testing

@testable import BoxFormat

@Suite struct VersionTests {
    /// Each line ascending, as RubyGems' documentation and Vagrant's catalogues order them.
    @Test(
        "orders versions as RubyGems does",
        arguments: [
            ["0.9", "1.0.a", "1.0.b1", "1.0.b2", "1.0.rc.1", "1.0", "1.0.1", "1.1", "1.10", "2"],
            ["0.1.0-alpha.2", "0.1.0-alpha.10", "0.1.0-beta", "0.1.0.rc", "0.1.0"],
            ["2.0.2.dev", "2.0.2", "2.0.10", "10.3"],
            ["12.20250101.9", "12.20250101.10", "12.20261116.1"],
            ["99999999999999999998", "99999999999999999999", "100000000000000000000"],
        ])
    func order(versions: [String]) throws {
        let parsed = try versions.map { try #require(BoxVersion($0)) }
        for (index, version) in parsed.enumerated() {
            for later in parsed[(index + 1)...] {
                #expect(version < later)
                #expect(!(later < version))
                #expect(version != later)
            }
        }
    }

    @Test(
        "takes versions that differ in zeros only for equal",
        arguments: [("1", "1.0.0"), ("1.0.a", "1.a"), ("01.2", "1.02")])
    func equality(one: String, other: String) throws {
        let left = try #require(BoxVersion(one))
        let right = try #require(BoxVersion(other))
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(!(left < right) && !(right < left))
    }

    @Test("reads a hyphen as '.pre.'")
    func hyphen() { #expect(BoxVersion("0.1.0-alpha.2") == BoxVersion("0.1.0.pre.alpha.2")) }

    @Test(
        "refuses what is no version",
        arguments: [
            "I AM NOT VALID", "", "v1", "1..2", "1.", ".1", "1.2-", "1_2", "1/2", "../1", "1.é",
            String(repeating: "1", count: 65),
        ])
    func invalid(text: String) { #expect(BoxVersion(text) == nil) }

    @Test(
        "chooses by requirement",
        arguments: [
            ("1.0.0", ["1.0.0"]), (">= 1.0", ["1.0.0", "1.1.0", "1.1.5", "2.0.2.dev", "2.0.2"]),
            (">= 0.9, ~> 1.0.0", ["1.0.0"]), ("~> 1.1", ["1.1.0", "1.1.5"]), ("~> 1.0", ["1.0.0", "1.1.0", "1.1.5"]),
            ("~> 1", ["1.0.0", "1.1.0", "1.1.5"]), ("!= 1.0", ["1.1.0", "1.1.5", "2.0.2.dev", "2.0.2"]),
            ("> 1.1,<2", ["1.1.5"]), (">= 2", ["2.0.2.dev", "2.0.2"]), ("< 1.1", ["1.0.0"]),
            ("<=1.1", ["1.0.0", "1.1.0"]),
            ("= 1", ["1.0.0"]), ("~> 2.0.2.dev", ["2.0.2.dev", "2.0.2"]), (">= 3", []),
        ])
    func requirement(text: String, expected: [String]) throws {
        let versions = try ["1.0.0", "1.1.0", "1.1.5", "2.0.2.dev", "2.0.2"].map { try #require(BoxVersion($0)) }
        let requirement = try VersionRequirement(text)
        #expect(versions.filter { requirement.isSatisfied(by: $0) }.map(\.description) == expected)
    }

    @Test("refuses what is no requirement", arguments: ["nope", "", ">=", "> 1,", "=> 1", ">= 1 < 2", "~~> 1"])
    func invalidRequirement(text: String) {
        #expect(throws: BoxError.invalidRequirement(text)) { try VersionRequirement(text) }
    }

    @Test("accepts the names that boxes have", arguments: ["debian/12", "a", "team/x/y", "my_box-1.0~rc+b"])
    func names(text: String) throws {
        let name = try BoxName(text)
        #expect(BoxName(folder: name.folder) == name)
        #expect(!name.folder.contains("/"))
    }

    @Test(
        "refuses names that could lead elsewhere",
        arguments: [
            "", "..", "a/../b", "/a", "a/", "a//b", ".hidden", "a%2Fb", "a b", "é", "a\u{0}",
            String(repeating: "a", count: 129),
        ])
    func invalidNames(text: String) { #expect(throws: BoxError.invalidName(text)) { try BoxName(text) } }

    @Test("knows the names that kernels give processors")
    func architectures() throws {
        #expect(try Architecture("x86_64") == .amd64)
        #expect(try Architecture("AArch64") == .arm64)
        #expect(throws: BoxError.invalidArchitecture("../x")) { try Architecture("../x") }
    }
}
