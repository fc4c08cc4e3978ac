import DiskImage
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

extension TemporaryFolder {
    func bytes(_ name: String) throws -> [UInt8] { try FileSystem.read(self(name), limit: 1 << 30) }
}

/// The programs that wander's images are measured against.
enum Qemu {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    @discardableResult
    static func run(_ arguments: [String], expecting status: Int32 = 0) throws -> String {
        let result = try ChildProcess.run(arguments)
        let output = String(decoding: result.output, as: UTF8.self)
        guard result.outcome == .exited(status) else {
            throw Failure(
                description: "\(arguments.joined(separator: " ")): \(result.outcome)\n\(output)"
                    + String(decoding: result.error, as: UTF8.self))
        }
        return output
    }

    @discardableResult
    static func img(_ arguments: String..., expecting status: Int32 = 0) throws -> String {
        try run(["qemu-img"] + arguments, expecting: status)
    }

    static func io(_ path: FilePath, format: String = "qcow2", _ commands: [String]) throws {
        let output = try run(["qemu-io", "-f", format] + commands.flatMap { ["-c", $0] } + [path.string])
        guard !output.contains("failed") else { throw Failure(description: "qemu-io \(commands): \(output)") }
    }

    /// Neither corruption nor leaks.
    static func check(_ path: FilePath) throws { try img("check", "-f", "qcow2", path.string) }

    static func compare(_ path: FilePath, with bytes: [UInt8], in folder: TemporaryFolder) throws {
        let truth = try folder.file("truth-\(randomIdentifier(bytes: 4)).raw", bytes)
        try img("compare", "-f", "qcow2", "-F", "raw", path.string, truth.string)
        try FileSystem.remove(truth)
    }
}

extension SeededGenerator {
    /// Bytes that hardly compress, or of one value, or zero.
    mutating func bytes(_ count: Int) -> [UInt8] {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: return [UInt8](repeating: UInt8.random(in: 0...255, using: &self), count: count)
        case 1: return [UInt8](repeating: 0, count: count)
        default:
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count + 8)
            while bytes.count < count { bytes += withUnsafeBytes(of: next(), Array.init) }
            return Array(bytes[..<count])
        }
    }
}

/// The first difference, so that a failure does not print megabytes.
func firstDifference(_ left: [UInt8], _ right: [UInt8]) -> String? {
    if left == right { return nil }
    guard left.count == right.count else { return "\(left.count) and \(right.count) bytes" }
    let index = left.indices.first { left[$0] != right[$0] } ?? 0
    return "byte \(index): \(left[index]) and \(right[index])"
}
