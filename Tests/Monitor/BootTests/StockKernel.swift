import LinuxSystem
import SystemPackage

@testable import Boot

/// A kernel as Debian ships it, unpacked by programs that know nothing of wander: what the code under test must agree
/// with.
struct StockKernel: Sendable {
    static let names = ["bookworm-cloud", "bookworm-generic", "trixie-cloud", "trixie-generic"]

    let name: String
    let path: FilePath
    /// The unpacked kernel, an ELF file.
    let unpacked: [UInt8]

    struct Segment {
        var offset: Int
        var address: UInt64
        var fileCount: Int
        var memoryCount: UInt64
    }

    /// Fetches the kernels if they are not there: `Tests/System/Kernels/fetch` keeps them.
    init(_ name: String) throws {
        self.name = name
        let script = FilePath(#filePath).pushing("../../../System/Kernels/fetch").lexicallyNormalized()
        let result = try ChildProcess.run([script.string], limit: 1 << 20)
        guard result.outcome.isSuccess else {
            throw Problem(text: "\(script) failed: \(String(decoding: result.error, as: UTF8.self))")
        }
        let folder = String(decoding: result.output, as: UTF8.self).split(separator: "\n").last ?? ""
        path = FilePath(String(folder)).appending(name).appending("vmlinuz")
        let file = try FileSystem.read(path, limit: 64 << 20)
        // The boot protocol's own description of where the packed kernel lies (Documentation/arch/x86/boot.rst).
        func field(_ offset: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
        }
        let start = (field(0x1f1, 1) + 1) * 512 + field(0x248, 4)
        let payload = Array(file[start..<start + field(0x24c, 4) - 4])
        let size = field(start + payload.count, 4)
        let tool: [String] =
            switch payload[0] {
            case 0x1f: ["gzip", "-dc"]
            case 0xfd: ["xz", "-dc", "--single-stream"]
            case 0x28: ["zstd", "-dc"]
            default: ["lz4", "-dc"]
            }
        let plain = try ChildProcess.run(tool, input: payload, limit: 512 << 20)
        guard plain.output.count == size else {
            throw Problem(text: "\(tool[0]) gave \(plain.output.count) bytes of \(size)")
        }
        unpacked = plain.output
    }

    struct Problem: Error, CustomStringConvertible {
        var text: String
        var description: String { text }
    }

    private func load(_ offset: Int, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(unpacked[offset + $1]) << UInt64(8 * $1) }
    }

    /// Of the ELF header (System V ABI, chapter 4).
    var entry: UInt64 { load(24, 8) }

    /// What has to be loaded.
    var segments: [Segment] {
        (0..<Int(load(56, 2))).compactMap { index in
            let header = Int(load(32, 8)) + index * 56
            guard load(header, 4) == 1 else { return nil }
            return Segment(
                offset: Int(load(header + 8, 8)), address: load(header + 24, 8), fileCount: Int(load(header + 32, 8)),
                memoryCount: load(header + 40, 8))
        }
    }

    /// Guest memory after loading, from the lowest segment's address to the highest one's end.
    var memory: [UInt8] {
        let start = segments.map(\.address).min() ?? 0
        let end = segments.map { $0.address + $0.memoryCount }.max() ?? 0
        var memory = [UInt8](repeating: 0, count: Int(end - start))
        for segment in segments {
            memory.withUnsafeMutableBytes { memory in
                unpacked.withUnsafeBytes { file in
                    UnsafeMutableRawBufferPointer(rebasing: memory[Int(segment.address - start)...])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(
                                rebasing: file[segment.offset..<segment.offset + segment.fileCount]))
                }
            }
        }
        return memory
    }
}
