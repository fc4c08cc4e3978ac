internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// A kind of disk image that wander does not read itself: qemu-img(1) converts it when it is added.
enum ForeignImage: String, Sendable {
    case vmdk, vdi

    /// What begins like this; nil if neither does.
    init?(start: [UInt8]) {
        // Virtual Disk Format 5.0, "Hosted Sparse Extent Header"; VirtualBox's VDI.h, "image header".
        if start.starts(with: "KDMV".utf8) {
            self = .vmdk
        } else if start.count >= 68, start[64..<68].elementsEqual([0x7f, 0x10, 0xda, 0xbe]) {
            self = .vdi
        } else {
            return nil
        }
    }

    /// Refuses an image that would have qemu-img read other files of this host.
    /// - Parameter name: How messages call it.
    func checkStandsAlone(_ file: FilePath, name: String) throws {
        guard self == .vmdk else { return }
        let image = try OwnedDescriptor.open(file, .readOnly)
        let header = try image.read(upTo: 512)
        guard header.count == 512 else { throw BoxError.invalidDisk(name, .truncated) }
        // A capacity of 0: the descriptor says in which files the data is.
        guard header[12..<20].contains(where: { $0 != 0 }) else { throw BoxError.invalidDisk(name, .externalData) }
        // Where qemu-img looks for the image that this one continues, and where the header says that it is.
        let sector = header[28..<36].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        for offset in [UInt64(512), sector &* 512] {
            guard let offset = Int64(exactly: offset) else { throw BoxError.invalidDisk(name, .truncated) }
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe image.read(into: $0, at: offset) }
            let mark = Array("parentFileNameHint".utf8)
            if bytes.prefix(count).firstRange(of: mark) != nil {
                throw BoxError.invalidDisk(name, .backingFile("parentFileNameHint"))
            }
        }
    }

    /// Writes the image as qcow2.
    /// - Parameter limit: The result may not be larger, in bytes.
    func convert(_ file: FilePath, to target: FilePath, limit: UInt64, cancellation: Cancellation?) throws {
        guard let program = findExecutable("qemu-img") else { throw BoxError.converterMissing(rawValue) }
        let complaint = FilePath("\(target).complaint")
        defer { try? FileSystem.remove(complaint) }
        let complaints = try OwnedDescriptor.open(complaint, [.readWrite, .create, .exclusive], permissions: 0o600)
        var options = ChildProcess.Options()
        options.output = .null
        options.error = .descriptor(complaints.rawValue)
        let process = try ChildProcess.start(
            [program, "convert", "-f", rawValue, "-O", "qcow2", "--", file.string, target.string], options)
        var outcome: ChildProcess.Outcome?
        defer {
            if outcome == nil {
                process.signal(9)
                _ = try? process.wait()
            }
        }
        while outcome == nil {
            outcome = try process.wait(milliseconds: 500, cancellation: cancellation)
            try cancellation?.check()
            let size = UInt64(clamping: try FileSystem.status(target)?.size ?? 0)
            guard size <= limit else { throw BoxError.tooMuchData(limit: ByteCount(limit), what: "data") }
        }
        guard outcome?.isSuccess == true else {
            let text = String(decoding: (try? FileSystem.read(complaint, limit: 1 << 16)) ?? [], as: UTF8.self)
            let line = text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "qemu-img failed"
            throw BoxError.unreadable(file, reason: line.utf8.shown)
        }
    }
}
