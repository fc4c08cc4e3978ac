import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Most of the program's code runs only at the start or under load. An idle network should not keep it in memory.
struct ResidentMemory {
    private let code: [Range<UInt>]

    /// Looks where the program's code is: mappings of files that nobody can have written to.
    init() {
        let bytes = (try? FileSystem.read("/proc/self/maps", limit: 1 << 20)) ?? []
        code = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].contains("/") else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
        }
    }

    /// Gives back what is not in use: freed memory, and the pages of program code. Those that are needed again come
    /// from the page cache at their next use.
    func release() {
        malloc_trim(0)
        for range in code {
            guard let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            // SAFETY: an unwritable, file-backed mapping has nothing that its file has not.
            _ = unsafe madvise(start, range.count, MADV_DONTNEED)
        }
    }
}
