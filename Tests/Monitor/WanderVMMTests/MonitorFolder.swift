import JSON
import LinuxSystem
import MonitorControl
import NetworkAddress
import SystemPackage
import TestSupport
import Testing

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

    /// Where the monitor's messages go, as in a machine's folder. A test fails if its filters refused a system call.
    func log() throws -> OwnedDescriptor {
        try OwnedDescriptor.open(logFile, [.writeOnly, .create, .append], permissions: 0o600)
    }
    private var logFile: FilePath { path.appending("monitor.log") }

    deinit {
        let said = String(decoding: (try? FileSystem.read(logFile)) ?? [], as: UTF8.self)
        #expect(!said.contains("refused system call"), "\(said)")
        try? FileSystem.removeTree(path)
    }

    /// - Returns: The configuration's path.
    func configure(statusDescriptor: CInt? = nil, lockDescriptor: CInt? = nil, network: FilePath? = nil) throws
        -> String
    {
        var configuration = MonitorConfiguration(
            name: "test", memory: 32 << 20, processors: 1,
            start: .kernel(.init(path.appending("kernel"), commandLine: "")))
        configuration.consoleLog = path.appending("console.log")
        configuration.controlSocket = path.appending("control.sock")
        configuration.endRecord = path.appending("end.json")
        configuration.statusDescriptor = statusDescriptor
        configuration.lockDescriptor = lockDescriptor
        if let network, let address = MACAddress("52:54:00:00:00:01") {
            configuration.networks = [.init(socket: network, address: address, mtu: 1500)]
        }
        let file = path.appending("configuration.json")
        try AtomicFile.write(configuration.json.pretty, to: file)
        return file.string
    }
}
