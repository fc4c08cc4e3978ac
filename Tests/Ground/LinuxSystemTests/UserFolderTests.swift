import SystemPackage
import Testing

@testable import LinuxSystem

@Suite struct UserFolderTests {
    private func folder(_ value: String?, home: FilePath?) -> FilePath? {
        UserFolders.folder("XDG_CACHE_HOME", or: ".cache", in: { $0 == "XDG_CACHE_HOME" ? value : nil }, home: home)
    }

    @Test("a variable says where a user's files are, else they are below the home folder")
    func places() {
        #expect(folder("/var/cache/ada", home: "/home/ada") == "/var/cache/ada")
        #expect(folder("/var/cache/ada", home: nil) == "/var/cache/ada")
        #expect(folder(nil, home: "/home/ada") == "/home/ada/.cache")
        #expect(folder(nil, home: nil) == nil)
    }

    @Test("a path that is relative or empty is ignored", arguments: ["", "cache", "./cache", "~/cache"])
    func relative(value: String) { #expect(folder(value, home: "/home/ada") == "/home/ada/.cache") }
}
