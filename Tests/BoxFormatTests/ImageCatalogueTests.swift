import Glibc
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// The catalogues of images: wander's own, and what people write.
@Suite struct ImageCatalogueTests {
    private static let builtIn = (try? ImageCatalogue.builtIn().images) ?? []

    @Test("the built-in catalogue has what it promises")
    func promised() throws {
        let names = try ImageCatalogue.builtIn().images.map(\.name.description)
        for name in [
            "debian/12", "debian/13", "ubuntu/22.04", "ubuntu/24.04", "fedora/44", "almalinux/9", "almalinux/10",
            "rocky/9",
            "rocky/10", "centos-stream/9", "centos-stream/10", "opensuse/leap-16.0", "arch/latest", "alpine/3.23",
            "freebsd/15.1",
        ] { #expect(names.contains(name)) }
        #expect(Set(names).count == names.count)
    }

    @Test("every entry is whole: https, a user, and a list whose form has a parser and an example", arguments: builtIn)
    func entry(image: CatalogueImage) throws {
        let found = try #require(try ImageCatalogues([.builtIn], variable: { _ in nil }).find(image.name))
        #expect(found.location.isEncrypted && found.checksums.isEncrypted)
        #expect(image.facts.user != nil && image.facts.cloudInit && image.facts.smallestMemory ?? 0 >= 128 << 20)
        #expect(image.architecture == .amd64)
        let (text, digits) = ChecksumListTests.example(of: image.form, name: image.fileName)
        #expect(ChecksumList(parsing: text, form: image.form).checksum(of: image.fileName)?.hexadecimal == digits)
        // A release that is named by its file has a version; what moves is named by its day.
        #expect(
            (image.version != nil)
                != (found.location.shown.contains("latest") || image.image.contains("/release/")
                    || image.mirror == "opensuse"))
    }

    @Test("the example at the top of the file names every key that there is")
    func documented() throws {
        let text = ImageCatalogue.builtInText
        for key in ImageCatalogueReader.keys { #expect(text.contains("\n#   \(key) ")) }
    }

    @Test("everything that is wrong with a catalogue is said at once, with its place")
    func problems() throws {
        let text = """
            mirrors:
              team: https://files.example.com
              no word: x
            images:
              team/base:
                titel: Team
                image: base.qcow2
                checksums: SHA256SUMS
                form: md5
                memory: lots
              "a b": {}
              team/list: [1]
            extra: 1
            """
        let error = #expect(throws: BoxSourceError.self) {
            try ImageCatalogue(parsing: Array(text.utf8), origin: .project("/p/Wanderfile.catalogue"))
        }
        #expect(error?.kind == .invalidConfiguration)
        let detail = try #require(error?.detail)
        for line in [
            "/p/Wanderfile.catalogue:3:3: error: 'no word' is no word for a mirror",
            "6:5: error: unknown key 'titel' in an image", "Did you mean 'title'?",
            "5:3: error: 'team/base' lacks the key 'title'",
            "9:11: error: 'form' must be one of SHA256SUMS, SHA512SUMS, bsd, clearsigned, single",
            "11:3: error: 'a b' is not a valid box name", "12:14: error: an image must be a map, not a list",
            "13:1: error: unknown key 'extra' in a catalogue",
        ] { #expect(detail.contains(line), "\(detail)") }
    }

    @Test(
        "the project's file goes before the user's, and that before wander's; mirrors likewise, the environment first")
    func order() throws {
        let folder = try TemporaryFolder()
        func catalogue(_ mirror: String?, _ names: String...) throws -> String {
            let images = names.map {
                "  \($0): { title: T, from: debian, image: a/b.img, checksums: a/SUMS, form: bsd }\n"
            }
            return (mirror.map { "mirrors: { debian: '\($0)' }\n" } ?? "") + "images:\n" + images.joined()
        }
        let project = try folder.file("Wanderfile.catalogue", Array(catalogue(nil, "debian/13", "team/x").utf8))
        let user = try folder.file("user.yaml", Array(catalogue("mirror/files/", "debian/13", "team/y").utf8))
        let origins: [ImageCatalogue.Origin] = [.project(project), .user(user), .builtIn]
        let catalogues = ImageCatalogues(origins, variable: { _ in nil })
        func place(_ name: String, _ catalogues: ImageCatalogues) throws -> String? {
            try catalogues.find(BoxName(name)).map { "\($0.origin.shown) \($0.location.shown)" }
        }
        let file = folder.path.pushing("mirror/files/a/b.img")
        #expect(try place("debian/13", catalogues) == "\(project) \(file)")
        #expect(try place("team/y", catalogues) == "\(user) \(file)")
        #expect(
            try place("debian/12", catalogues)
                == "built in \(folder.path)/mirror/files/bookworm/latest/debian-12-genericcloud-amd64.qcow2")
        #expect(try place("team/z", catalogues) == nil)
        let there = ImageCatalogues(origins, variable: { $0 == "WANDER_MIRROR_DEBIAN" ? "http://m/d" : nil })
        #expect(try place("debian/13", there) == "\(project) http://m/d/a/b.img")
        #expect(
            try place("ubuntu/24.04", there)?.hasPrefix("built in https://cloud-images.ubuntu.com/releases/") == true)
        _ = try folder.file("user.yaml", Array(catalogue(nil, "team/y").utf8))
        let alone = ImageCatalogues([.user(user)], variable: { _ in nil })
        #expect(throws: BoxSourceError.unknownMirror("debian", image: "team/y")) { try alone.images() }
        #expect(ImageCatalogues.variableName(of: "our-own") == "WANDER_MIRROR_OUR_OWN")
    }

    @Test(
        "names that are near",
        arguments: [
            ("tiny", "wander/tiny"), ("tinny", "wander/tiny"), ("debian13", "debian/13"), ("Debian/12", "debian/12"),
            ("ubuntu/noble", "ubuntu/24.04"),
            ("trixie", "debian/13"), ("almalinux", "almalinux/9"), ("debain/12", "debian/12"),
            ("fedora/99", "fedora/44"),
            ("rocky9", "rocky/9"), ("ubunut", "ubuntu/24.04"), ("base", "team/base"), ("zzz/qqq", nil),
        ])
    func near(name: String, expected: String?) {
        let known = Self.builtIn.map { (name: $0.name.description, words: $0.title) }
        let near = NearNames.near(name, in: [("team/base", ""), ("wander/tiny", "")] + known)
        if let expected { #expect(near.contains(expected), "\(near)") } else { #expect(near.isEmpty) }
        #expect(near.count <= NearNames.limit)
    }

    @Test("a mistake in one entry, or in one mirror's variable, is no matter of another name")
    func otherEntries() throws {
        let folder = try TemporaryFolder()
        func entry(_ mirror: String) -> String {
            "{ title: T, from: \(mirror), image: a, checksums: b, form: SHA256SUMS }"
        }
        let text =
            "mirrors: { a: \"https://a.test\", c: \"https://c.test\" }\nimages:\n  a/1: \(entry("a"))\n  b/1: \(entry("b"))\n  c/1: \(entry("c"))\n"
        let file = try folder.file("catalogue.yaml", Array(text.utf8))
        let images = ImageCatalogues([.user(file)], variable: { $0 == "WANDER_MIRROR_C" ? "ftp://x" : nil })
        #expect(try images.find(BoxName("a/1"))?.location.shown == "https://a.test/a")
        #expect(try images.find(BoxName("d/1")) == nil)
        #expect(throws: BoxSourceError.unknownMirror("b", image: "b/1")) { try images.find(BoxName("b/1")) }
        let error = #expect(throws: BoxSourceError.self) { try images.find(BoxName("c/1")) }
        #expect(
            error?.summary.contains("WANDER_MIRROR_C") == true
                && error?.remedy?.contains("unset WANDER_MIRROR_C") == true)
    }

    @Test("a catalogue that is a pipe is refused at once, and nobody waits for a writer", .timeLimit(.minutes(1)))
    func pipe() throws {
        let folder = try TemporaryFolder()
        let file = folder.path.appending(ImageCatalogues.projectFileName)
        #expect(mkfifo(file.string, 0o600) == 0)
        #expect(throws: SystemError.self) { try ImageCatalogues([.project(file)]).find(BoxName("a/1")) }
        #expect(throws: BoxSourceError.self) { try LockFile.read(file) }
    }
}
