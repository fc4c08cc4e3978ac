import DiskImage
import Glibc
import JSON
import KVM
import LinuxSystem
import MonitorControl
import NetworkAddress
import SystemPackage
import TestSupport
import Testing

/// wander-vmm as the provider starts it, with a guest that runs, looked at from outside and then taken over.
@Suite(.serialized) struct TakenMonitorTests {
    private static let hasKVM = (try? Hypervisor.open()) != nil

    /// A running monitor with a device of each kind, and what it is connected to.
    private final class Running {
        let place: MonitorPlace
        let child: ChildProcess
        let network: OwnedDescriptor
        /// A process that it is to have nothing to do with.
        let other: ChildProcess
        private var isOver = false

        init(servesFiles: Bool) throws {
            var place = try MonitorPlace(
                servesFiles: servesFiles, kernel: TinyGuest.kernel(TinyGuest.print("up") + TinyGuest.loop))
            let socket = place.folder("net.sock")
            network = try UnixSocket.listen(at: socket)
            let address = try #require(MACAddress("52:54:00:00:00:01"))
            place.configuration.networks = [.init(socket: socket, address: address, mtu: 1500)]
            let disk = try place.folder.file("web/disk.raw", [UInt8](repeating: 0, count: 1 << 16))
            place.configuration.disks = [.init(image: .init(path: disk, format: .raw), backing: [], serial: "root")]
            place.configuration.statusDescriptor = 3
            let file = try OwnedDescriptor.memoryFile(Array(place.configuration.json.compact.utf8))
            let status = try OwnedDescriptor.pipe()
            let log = try OwnedDescriptor.openLog(place.folder("web/monitor.log"))
            let options = ChildProcess.Options.service(
                log: log.rawValue, in: place.folder("web"), descriptors: [status.write.rawValue, file.rawValue])
            let program = try FileSystem.resolve("/proc/self/exe").removingLastComponent().appending("wander-vmm")
            child = try ChildProcess.start([program.string, "--configuration-descriptor", "4"], options)
            other = try ChildProcess.start(["sleep", "600"])
            self.place = place
            let reader = status.keepRead()
            #expect(try waitUntilReady(reader.rawValue, for: .readable, milliseconds: 20_000))
            #expect(MonitorStatus(line: try reader.read(upTo: 4096).dropLast()) == .started)
        }

        /// Once the guest's processor runs.
        func threads() throws -> [ThreadStatus] {
            try ThreadStatus.all(of: child.identifier, named: ["vcpu0", "disk0.0", "net0.0", "console.0"])
        }

        /// Asks it to end, as `halt --force` does.
        func stop() throws {
            let client = try MonitorClient.connect(to: place.folder("web/run/control.sock"))
            #expect(try client.perform(.state)["state"] == "running")
            try client.perform(.stop)
            let outcome = try child.wait(milliseconds: 20_000)
            isOver = outcome != nil
            #expect(outcome == .exited(0))
        }

        deinit {
            if !isOver { child.signal(SIGKILL) }
            other.signal(SIGKILL)
        }
    }

    @Test(
        "after the start a filter is on every thread, and one more on those that serve the guest",
        .enabled(if: hasKVM), arguments: [false, true])
    func filters(servesFiles: Bool) throws {
        let running = try Running(servesFiles: servesFiles)
        let process = running.child.identifier
        for thread in try running.threads() {
            #expect(thread.isConfined, "\(thread)")
            #expect(thread.filterCount == (thread.identifier == process ? 1 : 2), "\(thread)")
        }
        // The process that connects to the network for it.
        let children = try FileSystem.read(FilePath("/proc/\(process)/task/\(process)/children"), limit: 4096)
        let helpers = String(decoding: children, as: UTF8.self).split(separator: " ").compactMap { CInt($0) }
        #expect(helpers.count == 1)
        for helper in helpers { #expect(try ThreadStatus.all(of: helper).allSatisfy(\.isConfined)) }
        let limits = String(
            decoding: try FileSystem.read(FilePath("/proc/\(process)/limits"), limit: 1 << 16), as: UTF8.self)
        let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(core?.split(separator: " ").filter { $0 == "0" }.count == 2)
    }

    @Test(
        "none of its threads, taken over, connects, writes, signals or starts anything",
        .enabled(if: hasKVM && TakenThread.isPossible, "only root takes a confined process over"),
        arguments: [false, true])
    func doors(servesFiles: Bool) throws {
        let running = try Running(servesFiles: servesFiles)
        let process = running.child.identifier
        let place = running.place
        let listener = try UnixSocket.listen(at: place.doors.listener)
        for thread in try running.threads() {
            let taken = try TakenThread(thread.identifier)
            let open = try place.doors.openDoors(to: taken, besides: running.other.identifier)
            #expect(open == [], "\(thread)")
            // What is its own to do, so that it is known to act.
            #expect(try taken.processIdentifier() == process, "\(thread)")
            let opensFiles = thread.identifier == process || thread.name.hasPrefix("share")
            #expect(try taken.opens(place.folder("web/run/console.log"), O_WRONLY) == opensFiles, "\(thread)")
            let opensShare = try taken.opens(place.folder("share/file"), O_RDWR)
            #expect(opensShare == (opensFiles && servesFiles), "\(thread)")
            try taken.release()
        }
        // It is as it was.
        try running.stop()
        listener.close()
    }
}
