import CLinux
import Glibc
import LinuxSystem
import SSHTestServer
import Synchronization
import Testing

@testable import SSH

/// The built-in terminal session, on a real pseudo-terminal.
@Suite struct InteractiveShellTests {
    /// A pseudo-terminal whose master a test reads and writes.
    final class Terminal {
        let master: CInt
        let slave: CInt
        init() throws {
            // posix_openpt(3) and its relatives are not in Swift's Glibc module: TIOCSPTLCK and TIOCGPTN, ioctl_tty(2).
            master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
            var (unlocked, number): (CInt, CInt) = (0, -1)
            guard linux_ioctl(master, 0x4004_5431, &unlocked) == 0, linux_ioctl(master, 0x8004_5430, &number) == 0
            else {
                throw TestServer.Failure(reason: "no pseudo-terminal")
            }
            slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        }
        deinit {
            close(master)
            close(slave)
        }

        func resize(columns: UInt16, rows: UInt16) {
            var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
            _ = linux_ioctl(master, UInt(TIOCSWINSZ), &size)
        }

        func type(_ text: String) { _ = write(master, text, text.utf8.count) }

        /// Reads until the text appears; what was read so far otherwise.
        func read(until text: String) -> String {
            var bytes: [UInt8] = []
            for _ in 0..<200 {
                if (try? waitUntilReady(master, for: .readable, milliseconds: 100)) == true {
                    var buffer = [UInt8](repeating: 0, count: 4096)
                    let count = Glibc.read(master, &buffer, buffer.count)
                    bytes += buffer.prefix(max(0, count))
                }
                let all = String(decoding: bytes, as: UTF8.self)
                if all.contains(text) { return all }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Runs a session on a thread of its own, where it also logs in.
    private func start(
        _ terminal: Terminal, _ server: TestServer, _ key: SSHKeyPair, command: String?, _ outcome: Outcome
    ) throws -> LinuxSystem.Thread {
        let (slave, transport, user) = (terminal.slave, server.transport, server.user)
        return try Thread(name: "shell", stackSize: 1 << 20) {
            var shell = InteractiveShell()
            (shell.input, shell.output, shell.error, shell.terminalType) = (slave, slave, slave, "vt100")
            do throws(SSHError) {
                let session = try SSHSession(to: transport)
                try session.authenticate(user: user, keys: [key])
                outcome.set(.success(try shell.run(session, command: command)))
            } catch { outcome.set(.failure(error)) }
        }
    }

    final class Outcome: Sendable {
        private let value = Mutex<Result<SSHOutcome, SSHError>?>(nil)
        func set(_ result: Result<SSHOutcome, SSHError>) { value.withLock { $0 = result } }
        var result: Result<SSHOutcome, SSHError>? { value.withLock { $0 } }
    }

    @Test("passes keys, sizes and the exit status, and leaves the terminal as it was")
    func session() throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try TestServer(accepting: [key.publicKey])
        let terminal = try Terminal()
        terminal.resize(columns: 90, rows: 30)
        var before = termios()
        tcgetattr(terminal.slave, &before)
        let outcome = Outcome()
        let command =
            "trap 'stty size' WINCH; stty size; while read -r line; do echo \"<$line>\"; [ $line = end ] && exit 12; done"
        let thread = try start(terminal, server, key, command: command, outcome)
        #expect(terminal.read(until: "30 90").contains("30 90"))
        terminal.resize(columns: 100, rows: 40)
        terminal.type("x\r")
        #expect(terminal.read(until: "<x>").contains("<x>"))
        terminal.type("y\r")
        #expect(terminal.read(until: "<y>").contains("<y>"))
        terminal.type("end\r")
        thread.join()
        #expect(outcome.result == .success(.exited(12)))
        var after = termios()
        tcgetattr(terminal.slave, &after)
        #expect(before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag)
    }

    @Test("tells the guest when the window changes")
    func resize() throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try TestServer(accepting: [key.publicKey])
        let terminal = try Terminal()
        terminal.resize(columns: 90, rows: 30)
        let outcome = Outcome()
        let command = "echo ready; until [ \"$(stty size)\" = '41 101' ]; do sleep 0.05; done; echo resized; exit 0"
        let thread = try start(terminal, server, key, command: command, outcome)
        #expect(terminal.read(until: "ready").contains("ready"))
        terminal.resize(columns: 101, rows: 41)
        #expect(terminal.read(until: "resized").contains("resized"))
        thread.join()
        #expect(outcome.result == .success(.exited(0)))
    }

    @Test("a tilde and a full stop at the start of a line leave a session that hangs")
    func escape() throws {
        let key = try SSHKeyPair.generate(comment: "test")
        let server = try TestServer(accepting: [key.publicKey])
        let terminal = try Terminal()
        let outcome = Outcome()
        let thread = try start(terminal, server, key, command: "echo hanging; sleep 600", outcome)
        #expect(terminal.read(until: "hanging").contains("hanging"))
        terminal.type("a~.\r~.")
        thread.join()
        #expect(outcome.result == .failure(.interrupted))
    }

    @Test(
        "only a tilde at the start of a line is special",
        arguments: [("a~.b", "a~.b"), ("~~x", "~x"), ("~x", "~x"), ("a\r~~.", "a\r~."), ("ls ~\r", "ls ~\r")])
    func escapeFilter(typed: String, sent: String) {
        var filter = EscapeSequence()
        var kept: [UInt8] = []
        // Key by key.
        for byte in typed.utf8 {
            var piece = [byte]
            let stays = filter.filter(&piece)
            #expect(stays)
            kept += piece
        }
        #expect(String(decoding: kept, as: UTF8.self) == sent)
    }
}
