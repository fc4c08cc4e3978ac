import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Boot

/// Kernels as Debian ships them: of each, everything that a guest finds in its memory is compared with what other
/// programs make of the same file.
@Suite(.serialized) struct StockKernelTests {
    @Test(
        "a stock kernel is unpacked to what its own tools make of it, the second time from the cache",
        arguments: StockKernel.names)
    func unpacking(name: String) throws {
        let stock = try StockKernel(name)
        let folder = try TemporaryFolder()
        let cache = KernelCache(folder: folder.path.appending("cache"))
        for round in 0..<2 {
            let kernel = try Kernel.open(stock.path, cache: cache)
            #expect(kernel.entry == stock.entry)
            #expect(kernel.directEntry != nil)
            #expect(kernel.commandLineLimit >= 2047)
            #expect(kernel.extent.lowerBound == stock.segments.map(\.address).min())
            #expect(kernel.extent.upperBound == stock.segments.map { $0.address + $0.memoryCount }.max())
            var memory = [UInt8](repeating: 0, count: kernel.extent.count)
            for part in kernel.parts {
                let start = Int(part.address - kernel.extent.lowerBound)
                let read = try memory[start..<start + Int(part.count)].withUnsafeMutableBytes {
                    try kernel.file.descriptor.read(into: $0, at: Int64(part.offset))
                }
                #expect(read == Int(part.count))
            }
            // By memcmp: a loop over 50 MB takes a debug build half a minute.
            let expected = stock.memory
            #expect(memory.count == expected.count && memcmp(memory, expected, expected.count) == 0)
            if round == 0 { #expect(try FileSystem.list(folder.path.appending("cache")).count == 1) }
        }
    }

    @Test("a stock kernel is placed, packed and unpacked, in any memory that holds it", arguments: StockKernel.names)
    func placing(name: String) throws {
        let stock = try StockKernel(name)
        let initialRAMDisk = stock.path.removingLastComponent().appending("initrd")
        let size = try #require(try FileSystem.status(initialRAMDisk)).size
        for form in [Kernel.Form.unpacked, .packed] {
            let kernel = try Kernel.open(stock.path, form: form)
            for memory in [256 << 20, 3 << 30, 4 << 30] as [UInt64] {
                let plan = try BootPlan(
                    kernel, initialRAMDisk: initialRAMDisk, commandLine: "console=ttyS0",
                    platform: Platform(memory: memory, processors: 2))
                #expect(plan.entry.instructionPointer == kernel.entry)
                let ranges = plan.writes.map { $0.address..<$0.address + $0.count }.sorted {
                    $0.lowerBound < $1.lowerBound
                }
                for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.upperBound <= next.lowerBound) }
                #expect(try #require(ranges.last).upperBound <= min(memory, 3 << 30))
                let files = plan.writes.filter { if case .file = $0.content { true } else { false } }
                #expect(files.contains { $0.count == UInt64(size) && $0.address >= kernel.extent.upperBound })
            }
            #expect(throws: BootError.self) {
                try BootPlan(
                    kernel, initialRAMDisk: initialRAMDisk, commandLine: "",
                    platform: Platform(memory: 32 << 20, processors: 1))
            }
        }
    }
}
