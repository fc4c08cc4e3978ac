import CLinux
import Glibc

/// What this process keeps resident. For programs that start once, then run long and should be small.
public enum ProcessMemory {
    /// Makes all threads allocate from one heap: each heap more keeps pages of its own. Before the first thread starts.
    public static func useOneHeap() { linux_use_one_heap() }

    /// Gives the host back what starting took: the free pages of the heap, and the pages of code, which come back from
    /// the file one by one as they are needed. Starting runs through most of a program, and running through little of
    /// it.
    public static func dropStartUpPages() {
        linux_trim_heap()
        guard let start = unsafe linux_code_start(), let end = unsafe linux_code_end() else { return }
        let first = (Int(bitPattern: start) + 4095) & ~4095
        let count = (Int(bitPattern: end) & ~4095) - first
        guard count > 0 else { return }
        // SAFETY: nothing writes to code, so its pages are the file's. Advice that is refused changes nothing.
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), count, MADV_DONTNEED)
    }
}
