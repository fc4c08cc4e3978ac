import Glibc
import JSON
public import LinuxSystem
import Synchronization
public import SystemPackage

/// Runs machines on QEMU's translator, for hosts without a KVM that executes guest kernels. QEMU is a child in a
/// session of its own: when wander ends, the machine keeps running.
public struct EmulationProvider: MachineProvider {
    public var kind: ProviderKind { .emulation }

    /// Where wander-share and wander-log are.
    private let programs: FilePath

    /// - Parameter programs: The folder of `wander-share` and `wander-log`.
    public init(programs: FilePath) { self.programs = programs }

    /// Whether the emulator is installed.
    public static var program: String? { findExecutable("qemu-system-x86_64") }

    public func start(
        _ plan: LaunchPlan, lock: borrowing OwnedDescriptor, cancellation: Cancellation
    ) throws -> MachineRecord.ProcessIdentity {
        guard let program = Self.program else { throw ProviderError.emulatorMissing }
        if plan.start == .firmware(.uefi), FirmwareFile.path(.uefi) == nil {
            throw ProviderError.firmwareMissing(machine: plan.name, .uefi)
        }
        // Bound here and handed over, so that there is no time in which the machine runs and cannot be reached.
        let listener = try UnixSocket.listen(at: plan.folder.controlSocket)
        // Left by a QEMU that was killed; the new one could not bind it.
        try FileSystem.remove(plan.folder.run.appending("net.sock.peer"))
        let shareProgram = programs.appending("wander-share")
        try ShareServers.check(plan, program: shareProgram)
        let logs = try LogWriter(plan.folder, program: programs.appending("wander-log"))
        let shares = try ShareServers(plan, program: shareProgram, log: logs.monitor)
        let options = ChildProcess.Options.service(
            log: logs.monitor, in: plan.folder.path,
            descriptors: [lock.rawValue, listener.rawValue] + shares.connections + [logs.console])
        let hasSandbox = try Self.hasSandbox(program)
        let limits = EmulatorLimits(plan, program: FilePath(program))
        let missing = Mutex(hasSandbox ? [] : ["system calls (QEMU has no -sandbox)"])
        let child = try ChildProcess.start(
            QEMUArguments.make(plan, program: program, hasSandbox: hasSandbox), options
        ) { () throws(SystemError) in
            let found = try limits.apply()
            missing.withLock { $0 += found }
        }
        let unlimited = missing.withLock { $0 }
        if !unlimited.isEmpty {
            logs.note("QEMU: not limited on this host: \(unlimited.joined(separator: ", "))")
        }
        // From here on only QEMU holds its ends: the servers end with it.
        _ = consume shares
        logs.handOver()
        listener.close()
        do {
            let client = try QMPClient(
                connectingTo: plan.folder.controlSocket, milliseconds: 30_000, cancellation: cancellation)
            _ = consume client
        } catch {
            child.signal(SIGKILL)
            _ = try? child.wait(milliseconds: 5000)
            try cancellation.check()
            logs.awaitEnd()
            throw ProviderError.startFailed(machine: plan.name, log: LogTail.lines(plan.folder.monitorLog, count: 12))
        }
        guard let identity = MachineRecord.ProcessIdentity.of(child.identifier) else {
            logs.awaitEnd()
            throw ProviderError.startFailed(machine: plan.name, log: LogTail.lines(plan.folder.monitorLog, count: 12))
        }
        return identity
    }

    /// Whether this QEMU was built with a filter of its own; it knows before it starts a machine.
    private static func hasSandbox(_ program: String) throws -> Bool {
        try ChildProcess.run([program, "-sandbox", EmulatorLimits.sandbox, "-version"]).outcome.isSuccess
    }

    public func control(_ folder: MachineFolder) throws -> any MachineControl {
        QEMUControl(try QMPClient(connectingTo: folder.controlSocket))
    }

    /// There is only the serial port.
    public func attachConsole(_ folder: MachineFolder, serial: Bool) throws -> OwnedDescriptor {
        try UnixSocket.connect(to: folder.serialSocket)
    }

    /// A serial port cannot carry the size.
    public func resizeConsole(_ folder: MachineFolder, to size: TerminalSize) {}
}

/// A running QEMU.
final class QEMUControl: MachineControl {
    private let client: QMPClient

    init(_ client: QMPClient) { self.client = client }

    var isPaused: Bool {
        get throws { Self.standsStill(try client.execute("query-status")) }
    }

    /// QEMU's 'io-error' is the stop that `werror=enospc` asks for.
    static func standsStill(_ reply: JSONValue) -> Bool {
        ["paused", "io-error"].contains(reply["status"]?.stringValue)
    }

    var waitsForRoom: Bool {
        get throws { try client.execute("query-status")["status"]?.stringValue == "io-error" }
    }

    var usage: MachineUsage {
        get throws { MachineUsage(blockStatistics: try client.execute("query-blockstats", milliseconds: 2_000)) }
    }

    var lostShares: [Int] {
        get throws { Self.lostShares(try client.execute("query-chardev", milliseconds: 2_000)) }
    }

    /// QEMU says of a connection whose other end has gone that it is disconnected.
    static func lostShares(_ reply: JSONValue) -> [Int] {
        (reply.arrayValue ?? []).compactMap { device in
            guard let label = device["label"]?.stringValue, label.hasPrefix("share"),
                device["filename"]?.stringValue?.hasPrefix("disconnected:") == true
            else { return nil }
            return Int(label.dropFirst("share".count))
        }.sorted()
    }

    func pressPowerButton() throws { try client.execute("system_powerdown") }

    func stop() throws {
        do { try client.execute("quit") } catch {
            // It may end before it has answered.
            guard try client.waitForEnd(milliseconds: 1000, cancellation: nil) else { throw error }
        }
    }

    func pause() throws { try client.execute("stop") }
    func resume() throws { try client.execute("cont") }
    func reset() throws { try client.execute("system_reset") }
}
