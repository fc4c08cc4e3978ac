import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct PlainPathTests {
    @Test(
        "a file is reached by a plain name, whatever its own is",
        arguments: [
            "it's", "\"q\"", "100%2F", "${HOME}", "a b", "back\\slash", "line\nbreak", "#x", "!y", "d\u{e9}j\u{e0}",
        ])
    func names(name: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("\(name)/file", [1, 2, 3])
        let place = file.removingLastComponent()
        let plain = try PlainPath.of(place)
        #expect(PlainPath.isPlain(FilePath(plain)) && plain != place.string)
        #expect(try FileSystem.read(FilePath(plain).appending("file")) == [1, 2, 3])
        #expect(try PlainPath.of(place) == plain)
        try? FileSystem.remove(FilePath(plain))
    }

    @Test("a link that leads nowhere stays for weeks, and for good once it leads somewhere again")
    func dangling() throws {
        let folder = try TemporaryFolder()
        let links = folder.path.appending("links")
        try FileSystem.makeDirectory(links)
        let (target, link) = (folder.path.appending("drive"), links.appending("link"))
        #expect(symlink(target.string, link.string) == 0)
        func look(week: Int64) throws -> Bool {
            PlainPath.removeDangling(in: links, now: 1_000_000_000 + week * 7 * 24 * 3600)
            return try FileSystem.status(link, followLinks: false) != nil
        }
        try FileSystem.makeDirectory(target)
        #expect(try look(week: 0))
        try FileSystem.removeTree(target)
        #expect(try look(week: 10))
        #expect(try look(week: 13))
        try FileSystem.makeDirectory(target)
        #expect(try look(week: 16))
        try FileSystem.removeTree(target)
        #expect(try look(week: 20))
        #expect(try look(week: 23))
        #expect(try !look(week: 25))
    }

    @Test("bytes that are no text")
    func bytes() throws {
        let folder = try TemporaryFolder()
        let name: [CChar] = [0x78, -1, 0x79, 0]
        let place = folder.path.pushing(FilePath(platformString: name))
        try FileSystem.makeDirectory(place)
        let plain = try PlainPath.of(place)
        #expect(try FileSystem.isDirectory(FilePath(plain)))
        try? FileSystem.remove(FilePath(plain))
    }

    @Test("a plain path stays as it is")
    func plain() throws { #expect(try PlainPath.of("/srv/my-project_1/.wander") == "/srv/my-project_1/.wander") }
}
