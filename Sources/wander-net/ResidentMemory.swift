import Glibc
import LinuxSystem
import SystemPackage

/// Most of the program's code runs once, at the start. An idle network should not keep it in memory.
enum ResidentMemory {
    /// Gives the pages of program code back; those that are needed again come from the page cache at their next use.
    /// Only mappings of files that nobody can have written to are touched, so nothing is lost.
    static func releaseCode() {
        guard let bytes = try? FileSystem.read("/proc/self/maps", limit: 1 << 20) else { return }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].contains("/") else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1], let start = unsafe UnsafeMutableRawPointer(bitPattern: ends[0])
            else {
                continue
            }
            // SAFETY: an unwritable, file-backed mapping has nothing that its file has not.
            _ = unsafe madvise(start, Int(ends[1] - ends[0]), MADV_DONTNEED)
        }
    }
}
