import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct UnixSocketTests {
    @Test("sockets work in folders whose path is longer than a socket address", arguments: [1, 30])
    func longPaths(repetitions: Int) throws {
        let folder = try TemporaryFolder()
        var path = folder.path
        for _ in 0..<repetitions { path = path.appending("deeper") }
        try FileSystem.makeDirectory(path)
        path = path.appending("control.sock")
        let listener = try UnixSocket.listen(at: path)
        #expect(try FileSystem.status(path)?.permissions == 0o600)
        let client = try UnixSocket.connect(to: path)
        guard let server = try UnixSocket.accept(listener) else {
            Issue.record("no connection")
            return
        }
        try client.writeAll("ping")
        #expect(try server.read(upTo: 10) == Array("ping".utf8))
    }

    @Test("a listener that takes no connections is waited for as long as was said, and only while connecting")
    func stoppedListener() throws {
        let folder = try TemporaryFolder()
        let path = folder("stopped.sock")
        let listener = try UnixSocket.listen(at: path, backlog: 0)
        let first = try UnixSocket.connect(to: path, milliseconds: 50)
        #expect(throws: SystemError("connect to", path, .timedOut)) {
            try UnixSocket.connect(to: path, milliseconds: 50).close()
        }
        var limit = timeval(tv_sec: 7, tv_usec: 7)
        var size = socklen_t(MemoryLayout<timeval>.size)
        #expect(unsafe getsockopt(first.rawValue, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) == 0)
        #expect(limit.tv_sec == 0 && limit.tv_usec == 0)
        listener.close()
    }

    @Test("a link to a socket, and what is none, is nobody to connect to")
    func linkToSocket() throws {
        let folder = try TemporaryFolder()
        let listener = try UnixSocket.listen(at: folder("other.sock"))
        let link = folder("own.sock")
        symlink("other.sock", link.string)
        #expect(throws: SystemError("connect to", link, Errno(rawValue: ENOTSOCK))) {
            try UnixSocket.connect(to: link).close()
        }
        #expect(mkfifo(folder("pipe.sock").string, 0o600) == 0)
        #expect(throws: SystemError("connect to", folder("pipe.sock"), Errno(rawValue: ENOTSOCK))) {
            try UnixSocket.connect(to: folder("pipe.sock")).close()
        }
        try UnixSocket.connect(to: folder("other.sock")).close()
        listener.close()
    }

    @Test(
        "an address that was found in time leads there, also when no file may be opened any more", arguments: [1, 30])
    func addressBehindFilter(repetitions: Int) throws {
        let folder = try TemporaryFolder()
        var path = folder.path
        for _ in 0..<repetitions { path = path.appending("deeper") }
        try FileSystem.makeDirectory(path)
        path = path.appending("network.sock")
        let address = try UnixSocketAddress(path)
        #expect(throws: SystemError("connect to", path, .noSuchFileOrDirectory)) { try address.connect().close() }
        try UnixSocket.listen(at: path).close()
        // Another socket of the same name, as after a restart of whoever listens.
        let listener = try UnixSocket.listen(at: path)
        // write, close, mmap, munmap, madvise, socket, connect, exit, futex: what this thread does besides opening
        // files.
        let calls = [1, 3, 9, 11, 28, 41, 42, 60, 202]
        let thread = try Thread(name: "filtered") {
            do {
                _ = try SystemCallFilter(allowing: calls, socketFamilies: [AF_UNIX]).apply(
                    toAllThreads: false)
                #expect(throws: SystemError.self) { try OwnedDescriptor.open("/", .readOnly).close() }
                try address.connect().writeAll("ping")
            } catch { Issue.record(error) }
        }
        thread.join()
        guard let server = try UnixSocket.accept(listener) else {
            Issue.record("no connection")
            return
        }
        #expect(try server.read(upTo: 10) == Array("ping".utf8))
    }

    @Test("a dead socket is replaced, and connecting to one says so")
    func deadSocket() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("s")
        try UnixSocket.listen(at: path).close()
        #expect(throws: SystemError("connect to", path, .connectionRefused)) {
            try UnixSocket.connect(to: path).close()
        }
        let listener = try UnixSocket.listen(at: path)
        _ = try UnixSocket.connect(to: path)
        listener.close()
    }
}
