import DiskImage
import Glibc
import JSON
public import LinuxSystem
import MonitorControl
import NetworkAddress
public import SystemPackage

/// Runs machines on wander's own monitor, wander-vmm, with one process for each machine.
public struct MonitorProvider: MachineProvider {
    public var kind: ProviderKind { .kvm }
    static let programName = "wander-vmm"
    private let program: FilePath

    /// - Parameter programs: The folder of `wander-vmm`.
    public init(programs: FilePath) { program = programs.appending(Self.programName) }

    public func start(
        _ plan: LaunchPlan, lock: borrowing OwnedDescriptor, cancellation: Cancellation
    ) throws -> MachineRecord.ProcessIdentity {
        guard !FileSystem.isAbsent(program) else { throw ProviderError.monitorMissing(Self.programName) }
        let start = try Self.start(plan)
        try FileSystem.remove(plan.folder.endRecord)
        // By descriptor, so that what the monitor is told cannot be changed by a name.
        let file = try OwnedDescriptor.memoryFile(Array(configuration(plan, start).json.compact.utf8))
        let log = try BoundedLog(plan.folder.monitorLog, limit: BoundedLog.reportLimit)
        let status = try OwnedDescriptor.pipe()
        let options = ChildProcess.Options.service(
            log: log.rawDescriptor, in: plan.folder.path,
            descriptors: [lock.rawValue, status.write.rawValue, file.rawValue])
        let child = try ChildProcess.start([program.string, "--configuration-descriptor", "5"], options)
        let identity = MachineRecord.ProcessIdentity.of(child.identifier)
        // Only the monitor may hold the writing end, or its death would go unnoticed.
        let reader = status.keepRead()
        let line = try Self.line(from: reader, milliseconds: 120_000, cancellation: cancellation)
        switch MonitorStatus(line: line) {
        case .started:
            if let identity { return identity }
        case .failed(let summary, let detail, let remedy, let kind):
            throw ProviderError.monitorFailed(
                machine: plan.name, summary: summary, detail: detail, remedy: remedy, kind: kind)
        case nil: break
        }
        child.signal(SIGKILL)
        _ = try? child.wait(milliseconds: 5000)
        try cancellation.check()
        throw ProviderError.startFailed(machine: plan.name, log: LogTail.lines(plan.folder.monitorLog, count: 12))
    }

    /// The first line; what there is of it at the end of the file, at the time-out or on cancellation.
    private static func line(
        from reader: borrowing OwnedDescriptor, milliseconds: Int32, cancellation: Cancellation
    ) throws -> [UInt8] {
        var line: [UInt8] = []
        while !line.contains(0x0a), line.count < 1 << 16 {
            let ready = try waitUntilReady(
                reader.rawValue, for: .readable, milliseconds: milliseconds, cancellation: cancellation)
            let bytes = ready ? try reader.read(upTo: 4096) : []
            if bytes.isEmpty { break }
            line += bytes
        }
        return Array(line.prefix { $0 != 0x0a })
    }

    /// Files of the machine's folder by their names alone: the monitor works in it, wherever the project moves.
    private func configuration(_ plan: LaunchPlan, _ start: MonitorConfiguration.Start) -> MonitorConfiguration {
        func image(_ disk: LaunchPlan.Disk) -> MonitorConfiguration.Image {
            MonitorConfiguration.Image(path: disk.path, format: disk.format)
        }
        var configuration = MonitorConfiguration(
            name: plan.name, memory: plan.memory, processors: plan.processors,
            start: start)
        configuration.disks = plan.disks.enumerated().map { index, disk in
            MonitorConfiguration.Disk(
                image: image(disk.top), backing: disk.backing.map(image), serial: index == 0 ? "root" : "disk\(index)")
        }
        for disk in plan.extraDisks {
            configuration.disks.append(
                MonitorConfiguration.Disk(
                    image: image(disk), isReadOnly: disk.isReadOnly, serial: disk.path.stem ?? "extra"))
        }
        if let address = plan.hardwareAddress {
            configuration.networks = [
                MonitorConfiguration.Network(
                    socket: "run/net.sock", address: address, mtu: UInt16(EthernetFrame.largestPacket))
            ]
        }
        configuration.shares = plan.shares.map {
            MonitorConfiguration.Share(tag: $0.tag, path: $0.folder, isReadOnly: $0.isReadOnly)
        }
        configuration.consoleLog = "run/console.log"
        configuration.controlSocket = "run/control.sock"
        configuration.endRecord = "run/end.json"
        configuration.lockDescriptor = 3
        configuration.statusDescriptor = 4
        return configuration
    }

    private static func start(_ plan: LaunchPlan) throws(ProviderError) -> MonitorConfiguration.Start {
        switch plan.start {
        case .kernel(let kernel, let initrd, let line):
            return .kernel(.init(kernel, initialRAMDisk: initrd, commandLine: line ?? "", cache: kernelCache))
        case .firmware(let firmware):
            guard let file = FirmwareFile.path(firmware) else {
                throw .firmwareMissing(machine: plan.name, firmware)
            }
            return .firmware(file)
        }
    }

    private static var kernelCache: FilePath? { UserFolders.cache?.pushing("wander/kernels") }

    public func control(_ folder: MachineFolder) throws -> any MachineControl {
        MonitorMachineControl(folder.controlSocket)
    }

    public func attachConsole(_ folder: MachineFolder, serial: Bool) throws -> OwnedDescriptor {
        let client = try MonitorClient.connect(to: folder.controlSocket)
        return serial ? try client.attachConsole() : try client.attachTerminal()
    }

    public func resizeConsole(_ folder: MachineFolder, to size: TerminalSize) throws {
        try MonitorClient.connect(to: folder.controlSocket).resizeTerminal(columns: size.columns, rows: size.rows)
    }
}

/// A running wander-vmm.
final class MonitorMachineControl: MachineControl {
    private let socket: FilePath

    init(_ socket: FilePath) { self.socket = socket }

    @discardableResult
    private func perform(_ request: MonitorRequest) throws -> String? {
        try MonitorClient.connect(to: socket).perform(request)["state"]?.stringValue
    }

    var isPaused: Bool { get throws { try perform(.state) == "paused" } }
    /// How long a guest has to say what its memory is used for, in milliseconds. It usually takes less than one; a busy
    /// guest on an emulated processor takes hundreds.
    private static let reportPatience: Int64 = 800

    var usage: MachineUsage {
        get throws {
            let client = try MonitorClient.connect(to: socket)
            // A guest that is paused says nothing.
            let isPaused = try client.perform(.state, milliseconds: 400)["state"] == "paused"
            let asked = MonotonicClock.now
            // The first request makes the monitor ask the guest; a later reply holds what it said.
            var reply = try client.perform(.statistics, milliseconds: 400)
            guard !isPaused, MachineUsage(monitorStatistics: reply, reportAgeLimit: .max).memory.guestTotal != nil
            else {
                return MachineUsage(monitorStatistics: reply)
            }
            var pace = Pace(first: .milliseconds(5), growing: 1.5, most: .milliseconds(100))
            while true {
                let elapsed = MonotonicClock.now.milliseconds(since: asked)
                let usage = MachineUsage(monitorStatistics: reply, reportAgeLimit: UInt64(max(0, elapsed)))
                guard usage.memory.guestTotal == nil, elapsed < Self.reportPatience else { break }
                MonotonicClock.sleep(milliseconds: pace.nextMilliseconds())
                reply = try client.perform(.statistics, milliseconds: 400)
            }
            return MachineUsage(monitorStatistics: reply)
        }
    }

    /// Its guest gets an error instead.
    var waitsForRoom: Bool { false }

    /// The monitor serves them itself.
    var lostShares: [Int] { [] }

    func pressPowerButton() throws { try perform(.powerButton) }
    func stop() throws { try perform(.stop) }
    func pause() throws { try perform(.pause) }
    func resume() throws { try perform(.resume) }
    func reset() throws { try perform(.reset) }
}
