import JSON
import LinuxSystem
import MonitorControl
import SystemPackage
import TestSupport

/// A folder with a kernel of a few instructions and a configuration that starts it.
final class MonitorFolder {
    let path: FilePath
    /// Built beside the tests.
    let program: String

    init(kernel code: [UInt8]? = nil) throws {
        path = FilePath("/tmp").appending("wander-monitor-\(randomIdentifier())")
        try FileSystem.makeDirectory(path)
        program = try FileSystem.resolve("/proc/self/exe").removingLastComponent().appending("wander-vmm").string
        guard let code else { return }
        try AtomicFile.write(TinyGuest.kernel(code), to: path.appending("kernel"))
    }

    deinit { try? FileSystem.removeTree(path) }

    /// - Returns: The configuration's path.
    func configure(statusDescriptor: CInt? = nil) throws -> String {
        var configuration = MonitorConfiguration(
            name: "test", memory: 32 << 20, processors: 1, kernel: path.appending("kernel"), commandLine: "")
        configuration.consoleLog = path.appending("console.log")
        configuration.controlSocket = path.appending("control.sock")
        configuration.endRecord = path.appending("end.json")
        configuration.statusDescriptor = statusDescriptor
        let file = path.appending("configuration.json")
        try AtomicFile.write(configuration.json.pretty, to: file)
        return file.string
    }
}
