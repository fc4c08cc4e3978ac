import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct ConfinementTests {
    @Test("a process that has threads already is not confined: Landlock would not bind them") func threads()
        async throws
    {
        await #expect(processExitsWith: .success) {
            let stop = try OwnedDescriptor.pipe()
            let reader = try stop.read.duplicate()
            let thread = try Thread(name: "earlier") { _ = try? reader.read(upTo: 1) }
            do throws(SystemError) {
                _ = try ProcessConfinement(filter: SystemCallFilter(refusing: [])).enter()
                exit(1)
            } catch { #expect(error.errno == .resourceBusy) }
            _ = consume thread
            exit(0)
        }
    }

    @Test("a connector reaches its sockets, by every start of who listens there, and tells why it does not")
    func connector()
        async throws
    {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder("peer.sock")
            let copy = linux_fork()
            if copy == 0 {
                // The copy has one thread, as the monitor has when it makes its connector.
                do {
                    let connector = try SocketConnector(to: [folder("absent.sock"), path])
                    do throws(SystemError) {
                        _ = try connector.connect(0)
                        _exit(2)
                    } catch  where error.errno != .noSuchFileOrDirectory { _exit(3) } catch {}
                    for _ in 0..<2 {
                        let listener = try UnixSocket.listen(at: path)
                        let near = try connector.connect(1)
                        guard let far = try UnixSocket.accept(listener) else { _exit(4) }
                        try near.writeAll("x")
                        guard try far.read(upTo: 10) == [0x78] else { _exit(5) }
                    }
                    _exit(0)
                } catch { _exit(6) }
            }
            var status: CInt = 0
            waitpid(pid_t(copy), &status, 0)
            exit(linux_exit_status(status))
        }
    }

    @Test("a listener that takes no connections is not waited for without end, and its connection is not lost")
    func lateConnection() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder("peer.sock")
            let copy = linux_fork()
            if copy == 0 {
                do {
                    // One connection waits to be taken, and no other fits beside it (listen(2), connect(2)).
                    let listener = try UnixSocket.listen(at: path, backlog: 0)
                    let first = try UnixSocket.connect(to: path)
                    let connector = try SocketConnector(to: [path, folder("absent.sock")], milliseconds: 300)
                    for _ in 0..<2 {
                        do throws(SystemError) {
                            _ = try connector.connect(0)
                            _exit(2)
                        } catch  where error.errno != .timedOut { _exit(3) } catch {}
                    }
                    guard let taken = try UnixSocket.accept(listener) else { _exit(4) }
                    try first.writeAll("1")
                    guard try taken.read(upTo: 1) == [0x31] else { _exit(5) }
                    let near = try connector.connect(0)
                    guard let far = try UnixSocket.accept(listener) else { _exit(6) }
                    try near.writeAll("x")
                    guard try far.read(upTo: 10) == [0x78] else { _exit(7) }
                    // Each answer belongs to its question.
                    do throws(SystemError) {
                        _ = try connector.connect(1)
                        _exit(8)
                    } catch  where error.errno != .noSuchFileOrDirectory { _exit(9) } catch {}
                    _exit(0)
                } catch { _exit(10) }
            }
            var status: CInt = 0
            waitpid(pid_t(copy), &status, 0)
            exit(linux_exit_status(status))
        }
    }

    @Test("a copy of the process that does not end is ended, and that is an error")
    func endlessCopy() async throws {
        await #expect(processExitsWith: .success) {
            let copy = linux_fork()
            if copy == 0 {
                do throws(SystemError) {
                    let endless = try ForkedProcess.start(keeping: []) {
                        while true { pause() }
                    }
                    do throws(SystemError) {
                        _ = try ForkedProcess.wait(for: endless, milliseconds: 200, to: "count to the end")
                        _exit(2)
                    } catch {
                        guard error == SystemError("count to the end", nil, .timedOut) else { _exit(3) }
                    }
                    // Nothing of it is left.
                    guard kill(endless, 0) == -1 else { _exit(4) }
                    let good = try ForkedProcess.start(keeping: []) { 0 }
                    guard try ForkedProcess.wait(for: good, milliseconds: 10_000, to: "end") else { _exit(5) }
                    let bad = try ForkedProcess.start(keeping: []) { 1 }
                    guard try !ForkedProcess.wait(for: bad, milliseconds: 10_000, to: "end") else { _exit(6) }
                    _exit(0)
                } catch { _exit(7) }
            }
            var status: CInt = 0
            waitpid(pid_t(copy), &status, 0)
            exit(linux_exit_status(status))
        }
    }

    @Test("a log that gave way to a link or a pipe is a plain file again") func logs() throws {
        let folder = try TemporaryFolder()
        let victim = try folder.file("victim", Array("old".utf8))
        let log = folder("run.log")
        symlink(victim.string, log.string)
        try OwnedDescriptor.openLog(log).writeAll("a")
        #expect(try FileSystem.read(victim, limit: 10) == Array("old".utf8))
        #expect(try FileSystem.read(log, limit: 10) == Array("a".utf8))
        try OwnedDescriptor.openLog(log).writeAll("b")
        #expect(try FileSystem.read(log, limit: 10) == Array("ab".utf8))
        try FileSystem.remove(log)
        mkfifo(log.string, 0o600)
        try OwnedDescriptor.openLog(log).writeAll("c")
        #expect(try FileSystem.read(log, limit: 10) == Array("c".utf8))
    }

    @Test("a signal is taken by whoever waits for it, and a second one ends the process") func signals() async throws {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            let signals = try SignalDescriptor()
            pthread_kill(pthread_self(), SIGTERM)
            guard try waitUntilReady(signals.rawDescriptor, for: .readable, milliseconds: 10_000) else { exit(1) }
            signals.take()
            pthread_kill(pthread_self(), SIGTERM)
            exit(2)
        }
    }
}
