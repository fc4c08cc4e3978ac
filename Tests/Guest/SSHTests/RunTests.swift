import Glibc
import LinuxSystem
import SSH
import SSHTestServer
import Testing

/// Against real servers: what a command in a guest gets, says and ends with.
@Suite struct RunTests {
    let key: SSHKeyPair
    init() throws { key = try SSHKeyPair.generate(comment: "test") }

    @Test("keeps output, error and exit status apart", arguments: TestServer.kinds)
    func exitStatus(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let result = try session.collect(SSHCommand("echo out; echo err >&2; exit 7"))
        #expect(result.outcome == .exited(7))
        #expect(result.output == Array("out\n".utf8))
        #expect(result.error == Array("err\n".utf8))
        #expect(try session.collect(SSHCommand("true")).outcome.isSuccess)
    }

    @Test("tells the signal that ended a command", arguments: TestServer.kinds)
    func signal(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let outcome = try server.logIn(key).run(SSHCommand("kill -TERM $$"))
        #expect(outcome == .signalled("TERM"))
        #expect(outcome.shellStatus == 143)
    }

    @Test("takes 16 MiB on each of both outputs", arguments: TestServer.kinds)
    func largeOutput(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        var counts = (output: 0, error: 0)
        let script = "head -c 16777216 /dev/zero & head -c 16777216 /dev/zero >&2; wait"
        let outcome = try server.logIn(key).run(
            SSHCommand(script), output: { counts.output += $0.count }, error: { counts.error += $0.count })
        #expect(outcome.isSuccess)
        #expect(counts == (16_777_216, 16_777_216))
    }

    @Test("passes binary input through unchanged, more than any window holds", arguments: TestServer.kinds)
    func binaryInput(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let input = randomBytes(count: 5_000_001)
        let result = try server.logIn(key).collect(SSHCommand("cat"), input: .bytes(input))
        #expect(result.outcome.isSuccess)
        #expect(result.output == input)
    }

    @Test("both directions go on over a connection that takes little at a time", arguments: TestServer.kinds)
    func narrowConnection(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let connection = try server.transport.connect()
        var size: CInt = 2048
        setsockopt(connection.rawValue, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        var options = SSHSession.Options()
        // A keep-alive message is due in the midst of it.
        options.keepAliveSeconds = 1
        let session = try SSHSession(over: connection, options)
        try session.authenticate(user: server.user, keys: [key])
        let input = randomBytes(count: 3_000_001)
        let result = try session.collect(SSHCommand("sleep 1.5; cat"), input: .bytes(input))
        #expect(result.outcome.isSuccess)
        #expect(result.output == input)
    }

    @Test("does not wait for input that the command never reads", arguments: TestServer.kinds)
    func ignoredInput(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let input = [UInt8](repeating: 1, count: 8 << 20)
        #expect(try session.run(SSHCommand("exit 3"), input: .bytes(input)) == .exited(3))
        // The session is good for another command.
        #expect(try session.run(SSHCommand("exit 4")) == .exited(4))
    }

    @Test("reads a descriptor of the host as input")
    func descriptorInput() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let (readEnd, writeEnd) = try socketPair()
        try writeEnd.writeAll("from the host")
        writeEnd.close()
        let result = try server.logIn(key).collect(SSHCommand("cat"), input: .descriptor(readEnd.rawValue))
        #expect(result.output == Array("from the host".utf8))
    }

    @Test("sets the environment, whatever its values hold", arguments: TestServer.kinds)
    func environment(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        var command = SSHCommand("printf '%s|%s' \"$ONE\" \"$TWO\"")
        command.environment = [("ONE", "it's \"quoted\" $HOME"), ("TWO", "two\nlines")]
        let result = try server.logIn(key).collect(command)
        #expect(String(decoding: result.output, as: UTF8.self) == "it's \"quoted\" $HOME|two\nlines")
    }

    @Test("gives a command a terminal of the size asked for", arguments: TestServer.kinds)
    func terminal(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        var command = SSHCommand("stty size; test -t 0 && echo $TERM")
        command.terminal = PseudoTerminal(type: "vt100", columns: 123, rows: 45)
        let result = try server.logIn(key).collect(command)
        #expect(String(decoding: result.output, as: UTF8.self) == "45 123\r\nvt100\r\n")
    }

    @Test("ends a command at its time limit")
    func timeLimit() throws {
        let server = try TestServer(accepting: [key.publicKey])
        var command = SSHCommand("echo started; sleep 60")
        command.milliseconds = 300
        let session = try server.logIn(key)
        #expect(throws: SSHError.timedOut(.channel, milliseconds: 300)) { try session.run(command) }
    }

    @Test("ends a command that never stops printing at its time limit")
    func timeLimitUnderOutput() throws {
        let server = try TestServer(accepting: [key.publicKey])
        var command = SSHCommand("cat /dev/zero")
        command.milliseconds = 300
        let session = try server.logIn(key)
        #expect(throws: SSHError.timedOut(.channel, milliseconds: 300)) { try session.run(command) }
    }

    @Test("stops waiting on cancellation")
    func cancellation() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let cancellation = try Cancellation()
        var options = SSHSession.Options()
        options.cancellation = cancellation
        let session = try server.logIn(key, options)
        #expect(throws: SSHError.interrupted) {
            try session.run(SSHCommand("echo ready; sleep 60"), output: { _ in cancellation.request() })
        }
    }

    @Test("says that the connection went away when the server dies under a command", arguments: TestServer.kinds)
    func dyingServer(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let error = #expect(throws: SSHError.self) { try session.run(SSHCommand("kill -9 $PPID; sleep 60")) }
        #expect(error == .closed(.channel) || error == .reset(.channel))
        #expect(throws: SSHError.self) { try session.run(SSHCommand("true")) }
    }

    @Test("what a guest says in an error commands no terminal")
    func escapes() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        #expect(throws: SSHError.commandFailed(command: "look", status: 1, output: "red\ntext")) {
            try session.require("printf '\\033[31mred\\n\\033]0;title\\007text' >&2; exit 1", named: "look")
        }
    }

    @Test("words a failed command with what it said")
    func require() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        #expect(throws: SSHError.commandFailed(command: "look", status: 2, output: "nothing there\n")) {
            try session.require("echo nothing there >&2; exit 2", named: "look")
        }
    }
}
