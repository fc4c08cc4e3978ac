import JSON
import LinuxSystem
import MonitorControl
import SystemPackage

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
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
        let address: UInt64 = 16 << 20
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        file += little(2 as UInt16) + little(62 as UInt16) + little(1 as UInt32)
        file += little(address) + little(64 as UInt64) + little(0 as UInt64) + little(0 as UInt32)
        file += little(64 as UInt16) + little(56 as UInt16) + little(1 as UInt16) + [UInt8](repeating: 0, count: 6)
        file += little(1 as UInt32) + little(7 as UInt32) + little(120 as UInt64) + little(address) + little(address)
        file += little(UInt64(code.count)) + little(UInt64(code.count)) + little(4096 as UInt64)
        try AtomicFile.write(file + code, to: path.appending("kernel"))
    }

    deinit { try? FileSystem.removeTree(path) }

    /// `mov dx, port; mov al, value; out dx, al`.
    static func out(_ port: UInt16, _ value: UInt8) -> [UInt8] {
        [0x66, 0xba, UInt8(truncatingIfNeeded: port), UInt8(port >> 8), 0xb0, value, 0xee]
    }
    static func print(_ text: String) -> [UInt8] { text.utf8.flatMap { out(0x3f8, $0) } }
    static let powerOff = out(0x600, 0x34) + loop
    static let loop: [UInt8] = [0xeb, 0xfe]

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
