import LinuxSystem
import SystemPackage

/// The file that keeps what the guest wrote to its serial port. It starts anew when it has become too long, keeping one
/// older file, so that a guest cannot fill the disk.
final class ConsoleLog {
    /// In bytes.
    private static let sizeLimit: Int64 = 16 << 20

    private let path: FilePath?
    private var file: FileHolder?
    private var size: Int64 = 0

    private final class FileHolder {
        let descriptor: OwnedDescriptor
        init(_ path: FilePath) throws(SystemError) {
            descriptor = try OwnedDescriptor.openLog(path)
        }
    }

    init(_ path: FilePath?) throws {
        self.path = path
        guard let path else { return }
        let holder = try FileHolder(path)
        size = try holder.descriptor.status().size
        file = holder
    }

    /// A log that cannot be written is no reason to stop a guest.
    func write(_ bytes: [UInt8]) {
        guard let path, let file else { return }
        try? file.descriptor.writeAll(bytes)
        size += Int64(bytes.count)
        guard size > Self.sizeLimit else { return }
        try? FileSystem.rename(path, to: FilePath("\(path).old"))
        self.file = try? FileHolder(path)
        size = 0
    }
}
