import LinuxSystem
import SystemPackage

/// The wander-log process of a machine on QEMU: it writes down what the guest's console shows and what QEMU and its
/// helpers print, and keeps both logs bounded. It ends when they have ended. If it is killed, they continue without
/// logs.
final class LogWriter {
    private var consoleEnd: OwnedDescriptor?
    private var monitorEnd: OwnedDescriptor?
    private let process: ChildProcess

    /// Starts the process.
    /// - Parameter program: Where wander-log is.
    init(_ folder: MachineFolder, program: FilePath) throws {
        guard !FileSystem.isAbsent(program) else { throw ProviderError.monitorMissing("wander-log") }
        let console = try OwnedDescriptor.pipe()
        let monitor = try OwnedDescriptor.pipe()
        // What it says of itself, should it not come to its work.
        let log = try BoundedLog(folder.monitorLog, limit: BoundedLog.reportLimit)
        let options = ChildProcess.Options.service(
            log: log.rawDescriptor, in: folder.run, descriptors: [console.read.rawValue, monitor.read.rawValue])
        process = try ChildProcess.start(
            [
                program.string, "console.log", "\(BoundedLog.consoleLimit)", "monitor.log",
                "\(BoundedLog.reportLimit)",
            ], options)
        consoleEnd = console.keepWrite()
        monitorEnd = monitor.keepWrite()
    }

    /// Where what the guest's console shows is written to.
    var console: CInt { consoleEnd?.rawValue ?? -1 }
    /// Where programs print to.
    var monitor: CInt { monitorEnd?.rawValue ?? -1 }

    /// Writes a line to the monitor's log.
    func note(_ line: String) { try? monitorEnd?.writeAll(line + "\n") }

    /// Closes this process's ends: from here on only those count that other processes have got.
    func handOver() {
        consoleEnd = nil
        monitorEnd = nil
    }

    /// Waits until everything is written down. After those that write have ended.
    func awaitEnd() { _ = try? process.wait(milliseconds: 5_000) }
}
