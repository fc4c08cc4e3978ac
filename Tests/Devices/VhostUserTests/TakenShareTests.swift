import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// wander-share as the provider starts it for QEMU, looked at from outside and then taken over.
@Suite struct TakenShareTests {
    @Test("after the start a filter is on every thread", arguments: [false, true])
    func filters(isReadOnly: Bool) throws {
        let running = try RunningShare(isReadOnly: isReadOnly)
        for thread in try running.threads() { #expect(thread.isConfined && thread.filterCount == 1, "\(thread)") }
        try running.stop()
    }

    @Test(
        "none of its threads, taken over, connects, signals, starts anything or writes outside of its folder",
        .enabled(if: TakenThread.isPossible, "only root takes a confined process over"), arguments: [false, true])
    func doors(isReadOnly: Bool) throws {
        let running = try RunningShare(isReadOnly: isReadOnly)
        let listener = try UnixSocket.listen(at: running.doors.listener)
        for thread in try running.threads() {
            let taken = try TakenThread(thread.identifier)
            let open = try running.doors.openDoors(to: taken, besides: running.other.identifier)
            #expect(open == [], "\(thread)")
            // What is its own to do, so that it is known to act.
            #expect(try taken.opens(running.file, O_RDONLY), "\(thread)")
            #expect(try taken.opens(running.file, O_WRONLY) == !isReadOnly, "\(thread)")
            try taken.release()
        }
        // It is as it was.
        #expect(try running.answers())
        try running.stop()
        listener.close()
    }
}

/// A wander-share that serves a folder beside a machine's and the user's own files.
private final class RunningShare {
    let folder: TemporaryFolder
    let doors: Doors
    let file: FilePath
    let child: ChildProcess
    /// A process that it is to have nothing to do with.
    let other: ChildProcess
    /// QEMU's end of the connection.
    private let socket: OwnedDescriptor
    private var isOver = false

    init(isReadOnly: Bool) throws {
        folder = try TemporaryFolder()
        var doors = Doors(listener: folder("other.sock"))
        doors.servesFiles = true
        for name in ["web/record.json", "web/disk.qcow2", "home/.bashrc"] {
            doors.protected.append(try folder.file(name))
        }
        doors.secret = doors.protected
        file = try folder.file("share/file")
        if isReadOnly { doors.protected.append(file) }
        self.doors = doors
        let pair = try UnixSocket.pair()
        let log = try OwnedDescriptor.openLog(folder("web/monitor.log"))
        let options = ChildProcess.Options.service(
            log: log.rawValue, in: folder("web"), descriptors: [pair.read.rawValue])
        let program = try FileSystem.resolve("/proc/self/exe").removingLastComponent().appending("wander-share")
        let arguments = ["--tag", "share", "--folder", folder("share").string, "--socket-descriptor", "3"]
        child = try ChildProcess.start([program.string] + arguments + (isReadOnly ? ["--read-only"] : []), options)
        other = try ChildProcess.start(["sleep", "600"])
        socket = pair.keepWrite()
        // Who answers has started.
        #expect(try answers())
    }

    func threads() throws -> [ThreadStatus] {
        try ThreadStatus.all(of: child.identifier, named: ["wander-share", "queue.0", "queue.1"])
    }

    /// Whether it says which features it has (VHOST_USER_GET_FEATURES).
    func answers() throws -> Bool {
        try socket.writeAll([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0] as [UInt8])
        guard try waitUntilReady(socket.rawValue, for: .readable, milliseconds: 10_000) else { return false }
        return try socket.read(upTo: 20).starts(with: [1, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0])
    }

    /// Closes the connection, as QEMU's end does.
    func stop() throws {
        socket.endOutput()
        let outcome = try child.wait(milliseconds: 10_000)
        isOver = outcome != nil
        #expect(outcome == .exited(0))
        let said = try FileSystem.read(folder("web/monitor.log"), limit: 1 << 16)
        #expect(said.isEmpty, "\(String(decoding: said, as: UTF8.self))")
    }

    deinit {
        if !isOver { child.signal(SIGKILL) }
        other.signal(SIGKILL)
    }
}
