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
