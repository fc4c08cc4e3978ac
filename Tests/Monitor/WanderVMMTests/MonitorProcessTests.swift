import Glibc
import JSON
import KVM
import LinuxSystem
import MonitorControl
import SystemPackage
import TestSupport
import Testing

private let hasKVM = (try? Hypervisor.open()) != nil

/// The monitor as a process: its configuration, status line, control socket, exit status and end record.
@Suite(.serialized) struct MonitorProcessTests {
    @Test("without a configuration it says how to use it")
    func usage() throws {
        let folder = try MonitorFolder()
        let result = try ChildProcess.run([folder.program])
        #expect(result.outcome == .exited(64))
        #expect(String(decoding: result.error, as: UTF8.self).contains("usage: wander-vmm"))
    }

    @Test(
        "a configuration that is none, or wrong, is refused with what is wrong",
        arguments: [
            ("{", "malformed JSON"), ("{\"schema\":2}", "schema 2"), ("{\"schema\":1,\"surprise\":1}", "surprise"),
        ])
    func refused(text: String, expected: String) throws {
        let folder = try MonitorFolder()
        try AtomicFile.write(text, to: folder.path.appending("c.json"))
        let result = try ChildProcess.run([folder.program, "--configuration", folder.path.appending("c.json").string])
        #expect(!result.outcome.isSuccess)
        #expect(String(decoding: result.error, as: UTF8.self).contains(expected))
    }

    @Test("a guest that switches itself off ends the monitor, with its output in the log", .enabled(if: hasKVM))
    func powerOff() throws {
        let folder = try MonitorFolder(kernel: TinyGuest.print("ok\n") + TinyGuest.powerOff)
        let result = try ChildProcess.run([folder.program, "--configuration", try folder.configure()])
        #expect(result.outcome == .exited(0), "\(String(decoding: result.error, as: UTF8.self))")
        #expect(!String(decoding: result.error, as: UTF8.self).contains("refused system call"))
        #expect(try FileSystem.read(folder.path.appending("console.log")) == Array("ok\n".utf8))
        #expect(MonitorEnd.read(from: folder.path.appending("end.json")) == MonitorEnd(reason: .powerOff))
        #expect(try !FileSystem.exists(folder.path.appending("control.sock")))
    }

    @Test("a kernel that is missing is told by status line, exit status and end record", .enabled(if: hasKVM))
    func missingKernel() throws {
        let folder = try MonitorFolder()
        let status = try OwnedDescriptor.pipe()
        let log = try folder.log()
        var options = ChildProcess.Options()
        options.extraDescriptors = [status.write.rawValue]
        options.error = .descriptor(log.rawValue)
        let child = try ChildProcess.start(
            [folder.program, "--configuration", try folder.configure(statusDescriptor: 3)], options)
        #expect(try child.wait(milliseconds: 20_000)?.isSuccess == false)
        let line = try status.read.read(upTo: 4096)
        guard case .failed(let summary, _, _, _) = MonitorStatus(line: line) else {
            Issue.record("no failure in the status line")
            return
        }
        #expect(summary.contains("kernel"))
        #expect(MonitorEnd.read(from: folder.path.appending("end.json"))?.reason == .failure)
    }

    @Test("a running machine answers, pauses, resumes, resets, and stops when asked", .enabled(if: hasKVM))
    func control() throws {
        let folder = try MonitorFolder(kernel: TinyGuest.print("up") + TinyGuest.loop)
        let status = try OwnedDescriptor.pipe()
        let log = try folder.log()
        var options = ChildProcess.Options()
        options.extraDescriptors = [status.write.rawValue]
        options.error = .descriptor(log.rawValue)
        let child = try ChildProcess.start(
            [folder.program, "--configuration", try folder.configure(statusDescriptor: 3)], options)
        #expect(try waitUntilReady(status.read.rawValue, for: .readable, milliseconds: 20_000))
        #expect(MonitorStatus(line: try status.read.read(upTo: 4096).dropLast()) == .started)
        let socket = folder.path.appending("control.sock")
        let client = try MonitorClient.connect(to: socket)
        #expect(try client.perform(.state)["state"] == "running")
        try client.perform(.pause)
        #expect(try client.perform(.state)["state"] == "paused")
        try client.perform(.resume)
        try client.perform(.powerButton)
        try client.perform(.reset)
        let state = try client.perform(.state)
        #expect(state["state"] == "running" && state["resets"] == 1)
        // Every thread, those made at the reset too, has a filter and can gain no privileges.
        for thread in try ThreadStatus.all(of: child.identifier) { #expect(thread.isConfined, "\(thread)") }
        let statistics = try client.perform(.statistics)
        #expect(statistics["exits"]?.integerValue != nil)
        let devices = try #require(statistics["devices"]?.arrayValue)
        #expect(devices.map { $0["kind"]?.stringValue } == ["balloon", "entropy", "console"])
        #expect(devices.allSatisfy { $0["stopped"] == false && $0["faults"]?.arrayValue == [] })
        // Whatever else is sent is answered, or ends the connection, and the machine goes on.
        let hostile = try UnixSocket.connect(to: socket)
        try hostile.writeAll("{\"command\":7}\n[]\n\u{0}\n")
        #expect(String(decoding: try hostile.read(upTo: 4096), as: UTF8.self).contains("unknown request"))
        let flood = try UnixSocket.connect(to: socket)
        try? flood.writeAll([UInt8](repeating: 0x61, count: 200_000))
        #expect(try client.perform(.state)["state"] == "running")
        let console = try MonitorClient.connect(to: socket).attachConsole()
        try console.writeAll("hello")
        let terminal = try MonitorClient.connect(to: socket).attachTerminal()
        try terminal.writeAll("typed before the guest has a driver")
        try client.resizeTerminal(columns: 120, rows: 40)
        #expect(throws: MonitorError.self) { try client.perform(.resizeTerminal) }
        // The guest never reads: the monitor waits for it without using the processor.
        try terminal.setNonBlocking()
        while (try? terminal.write(upTo: [UInt8](repeating: 0x61, count: 4096)[...])) ?? 0 > 0 {}
        let before = try Self.processorTicks(child.identifier)
        usleep(500_000)
        #expect(try Self.processorTicks(child.identifier) - before < 15)
        try client.perform(.stop)
        #expect(try child.wait(milliseconds: 20_000) == .exited(0))
        #expect(MonitorEnd.read(from: folder.path.appending("end.json"))?.reason == .stopped)
    }

    @Test("a monitor that is killed holds no lock any more, and its helper ends", .enabled(if: hasKVM))
    func killed() throws {
        let folder = try MonitorFolder(kernel: TinyGuest.print("up") + TinyGuest.loop)
        let network = folder.path.appending("net.sock")
        let listener = try UnixSocket.listen(at: network)
        let lock = try OwnedDescriptor.open(folder.path.appending("lock"), [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        let status = try OwnedDescriptor.pipe()
        let log = try folder.log()
        var options = ChildProcess.Options()
        options.error = .descriptor(log.rawValue)
        options.extraDescriptors = [status.write.rawValue, lock.rawValue]
        let file = try folder.configure(statusDescriptor: 3, lockDescriptor: 4, network: network)
        let child = try ChildProcess.start([folder.program, "--configuration", file], options)
        lock.close()
        #expect(try waitUntilReady(status.read.rawValue, for: .readable, milliseconds: 20_000))
        #expect(MonitorStatus(line: try status.read.read(upTo: 4096).dropLast()) == .started)
        #expect(try UnixSocket.accept(listener) != nil)
        let path = FilePath("/proc/\(child.identifier)/task/\(child.identifier)/children")
        let helpers = String(decoding: try FileSystem.read(path, limit: 4096), as: UTF8.self).split(separator: " ")
        #expect(helpers.count == 1)
        // Waits in signalfd(2) for SIGTERM: no thread does.
        #expect(try !ThreadStatus.all(of: child.identifier).contains { $0.name == "signals" })
        child.signal(SIGKILL)
        #expect(try child.wait(milliseconds: 20_000) == .signalled(SIGKILL))
        let again = try OwnedDescriptor.open(folder.path.appending("lock"), .readWrite)
        #expect(try !OpenFileLock.isHeldElsewhere(again))
        for helper in helpers {
            let place = FilePath("/proc/\(helper)")
            for _ in 0..<500 where !FileSystem.isAbsent(place) { usleep(10_000) }
            #expect(FileSystem.isAbsent(place))
        }
    }

    @Test("where no descriptor is left, a connection waits without using the processor", .enabled(if: hasKVM))
    func noDescriptors() throws {
        let folder = try MonitorFolder(kernel: TinyGuest.loop)
        let status = try OwnedDescriptor.pipe()
        var options = ChildProcess.Options()
        options.extraDescriptors = [status.write.rawValue]
        let child = try ChildProcess.start(
            [folder.program, "--configuration", try folder.configure(statusDescriptor: 3)], options)
        #expect(try waitUntilReady(status.read.rawValue, for: .readable, milliseconds: 20_000))
        func limitDescriptors(_ limit: String) throws {
            let result = try ChildProcess.run(["prlimit", "--pid", "\(child.identifier)", "--nofile=\(limit):"])
            #expect(result.outcome.isSuccess)
        }
        try limitDescriptors("3")
        let late = try UnixSocket.connect(to: folder.path.appending("control.sock"))
        try late.writeAll("{\"command\":\"stop\"}\n")
        let before = try Self.processorTicks(child.identifier)
        usleep(500_000)
        #expect(try Self.processorTicks(child.identifier) - before < 15)
        try limitDescriptors("1024")
        #expect(try child.wait(milliseconds: 20_000) == .exited(0))
    }

    /// Hundredths of a second that the process's first thread has run (proc(5), `stat`, fields 14 and 15).
    private static func processorTicks(_ process: Int32) throws -> Int {
        let stat = try FileSystem.read(FilePath("/proc/\(process)/task/\(process)/stat"), limit: 4096)
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }
}
