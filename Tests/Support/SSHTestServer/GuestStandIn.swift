import Glibc
import LinuxSystem
import SSH
import Synchronization
public import SystemPackage

/// Stands for a machine that runs on wander-vmm: holds the lock in its folder, answers for its monitor, and leads
/// whoever wants the guest's SSH port to a server. Nothing is booted.
public final class GuestStandIn: Sendable {
    private struct State: ~Copyable {
        /// Held for as long as the machine lives.
        var lock: OwnedDescriptor?
        var requests: [String] = []
    }

    private let state: Mutex<State>
    private let guest: UInt16

    /// What the monitor was asked, such as `power-button`.
    public var requests: [String] { state.withLock { $0.requests } }
    private var isOver: Bool {
        state.withLock { state in
            switch state.lock {
            case .some: false
            case .none: true
            }
        }
    }

    /// - Parameters:
    ///   - folder: The machine's.
    ///   - port: Of the server that stands for the guest's.
    public init(in folder: FilePath, leadingTo port: UInt16) throws {
        guest = port
        let run = folder.appending("run")
        try FileSystem.makeDirectory(run, permissions: 0o700)
        let lock = try OwnedDescriptor.open(
            folder.appending("machine.lock"), [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.tryLock(lock, .exclusive) else { throw TestServer.Failure(reason: "the machine runs") }
        state = Mutex(State(lock: consume lock))
        try listen(at: run.appending("control.sock")) { $0.answerAsMonitor($1) }
        try listen(at: run.appending("guest.sock")) { $0.leadToGuest($1) }
    }

    /// The machine ends. Its threads hold it until then.
    public func end() { state.withLock { $0.lock = nil } }

    private func listen(at path: FilePath, _ serve: @escaping @Sendable (GuestStandIn, CInt) -> Void) throws {
        let listener = try UnixSocket.listen(at: path).release()
        let own = self
        _ = try Thread(name: "stand-in", stackSize: 256 << 10) {
            while !own.isOver {
                var set = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                guard poll(&set, 1, 100) > 0 else { continue }
                let raw = accept(listener, nil, nil)
                guard raw >= 0 else { continue }
                _ = try? Thread(name: "stand-in", stackSize: 256 << 10) {
                    serve(own, raw)
                    close(raw)
                }
            }
            close(listener)
        }
    }

    /// A line of JSON for each.
    private func answerAsMonitor(_ raw: CInt) {
        while let line = line(from: raw) {
            let words = line.split(separator: "\"")
            guard let place = words.firstIndex(of: "command"), words.count > place + 2 else { return }
            let command = String(words[place + 2])
            state.withLock { $0.requests.append(command) }
            say("{\"ok\":true,\"state\":\"running\"}\n", to: raw)
            if command == "stop" { end() }
        }
    }

    private func leadToGuest(_ raw: CInt) {
        guard line(from: raw) != nil else { return }
        guard let peer = try? SSHTransport.tcp(host: "127.0.0.1", port: guest).connect() else {
            return say("ERROR nothing listens there\n", to: raw)
        }
        say("OK\n", to: raw)
        carry(raw, peer.rawValue) { isOver }
    }

    private func line(from raw: CInt) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(raw, &byte, 1) == 1 {
            if byte == 0x0a { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    private func say(_ text: String, to raw: CInt) {
        _ = text.withCString { send(raw, $0, strlen($0), CInt(MSG_NOSIGNAL)) }
    }
}
