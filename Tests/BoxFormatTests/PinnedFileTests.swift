import BoxFormat
import Digest
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite struct PinnedFileTests {
    private let content = Array("hello\n".utf8)
    private var digest: SHA256Digest { SHA256Digest(of: content) }

    @Test("a file is downloaded once; what is in the cache and is not the file is replaced")
    func cache() throws {
        let folder = try TemporaryFolder()
        let cache = folder.path.appending("cache")
        let server = try HTTPFixture()
        defer { server.stop() }
        server.set("/a.sh", content)
        let file = PinnedFile(url: "\(server.base)/a.sh", digest: digest, limit: 100)
        #expect(try file.read(cache: cache) == content)
        #expect(try file.read(cache: cache) == content)
        #expect(server.requests.count == 1)
        try AtomicFile.write("other\n", to: cache.appending(digest.hexadecimal))
        #expect(try file.read(cache: cache) == content)
        #expect(try FileSystem.read(cache.appending(digest.hexadecimal)) == content)
        #expect(server.requests.count == 2)
    }

    @Test("another file, or a longer one, is refused, and nothing is kept")
    func refused() throws {
        let folder = try TemporaryFolder()
        let cache = folder.path.appending("cache")
        let server = try HTTPFixture()
        defer { server.stop() }
        let url = "\(server.base)/a.sh"
        let other = Array("other\n".utf8)
        server.set("/a.sh", other)
        let error = try #require(throws: PinnedFile.Changed.self) {
            let file = PinnedFile(url: url, digest: digest, limit: 100)
            _ = try file.read(cache: cache)
        }
        #expect(error.expected == digest && error.actual == SHA256Digest(of: other) && error.url == url)
        #expect(error.kind == ErrorKind.digestMismatch)
        server.set("/a.sh", content)
        #expect(throws: BoxSourceError.self) { try PinnedFile(url: url, digest: digest, limit: 5).read(cache: cache) }
        #expect(try (FileSystem.exists(cache) ? FileSystem.list(cache) : []).isEmpty)
    }
}
