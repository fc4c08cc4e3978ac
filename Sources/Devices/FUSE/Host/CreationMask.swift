import LinuxSystem
import SystemPackage

/// The bits that the host removes from the modes of new files (umask(2)). The guest has applied its own already.
struct CreationMask {
    let bits: UInt32

    /// The process's, as `/proc` tells it: asking umask(2) would change it for a moment, for all threads.
    init() {
        let status = (try? FileSystem.read("/proc/self/status", limit: 1 << 16)) ?? []
        let line = status.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "Umask:".utf8) }
        let digits = line.map { $0.drop { !(UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) } } ?? []
        bits = digits.reduce(0) { $0 << 3 | UInt32($1 & 7) } & 0o777
    }

    /// Whether the mask, and not an access control list, took away what `mode` lacks of `wanted`.
    func explains(_ mode: UInt32, _ wanted: UInt32) -> Bool {
        let missing = wanted & ~mode & 0o777
        return missing != 0 && missing & ~bits == 0
    }
}
