import Boot
import GuestMemory
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import VMM

/// Files that a guest's start is read from, and that the guest may write to meanwhile.
@Suite struct BootFileTests {
    @Test("an initial RAM disk that is cut short once its place is known is an error, and not the end of the process")
    func cutShort() throws {
        let kernel = try TinyKernel(TinyGuest.powerOff)
        let folder = try TemporaryFolder()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let file = try folder.file("initrd", bytes)
        let memory = try GuestMemory(byteCount: 32 << 20)
        func plan() throws -> BootPlan {
            try BootPlan(
                Kernel.open(kernel.path), initialRAMDisk: file, commandLine: "",
                platform: Platform(memory: 32 << 20, processors: 1))
        }
        let whole = try plan()
        try memory.apply(whole)
        // It ends at the last page of the guest's memory.
        let place = UInt64(32 << 20 - 25 * 4096)
        #expect(try memory.loadBytes(at: place, count: bytes.count) == bytes)
        // Cut within a page, at a page's end, and to nothing; a mapping would end the process by SIGBUS.
        for size in [99_999, 8192, 0] as [Int64] {
            let later = try plan()
            let writer = try OwnedDescriptor.open(file, .readWrite)
            try writer.truncate(to: size)
            #expect(throws: SystemError.self) { try memory.apply(later) }
            try writer.writeAll(bytes)
        }
        try memory.apply(try plan())
    }
}
