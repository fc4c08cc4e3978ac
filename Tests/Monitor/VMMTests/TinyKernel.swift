import LinuxSystem
import SystemPackage
import TestSupport

@testable import VMM

/// A kernel of a few instructions in a folder of its own.
final class TinyKernel {
    private let folder: TemporaryFolder
    let path: FilePath

    init(_ code: [UInt8]) throws {
        folder = try TemporaryFolder()
        path = try folder.file("kernel", TinyGuest.kernel(code))
    }

    func specification(memory: UInt64 = 32 << 20, processors: Int = 1) -> MachineSpecification {
        MachineSpecification(
            memory: memory, processors: processors,
            start: .kernel(MachineSpecification.KernelStart(kernel: path, commandLine: "")))
    }
}

extension Machine {
    /// The next event; nil if there is none within ten seconds.
    func nextEvent() throws -> MachineEvent? {
        guard try waitUntilReady(eventDescriptor, for: .readable, milliseconds: 10_000) else { return nil }
        return takeEvent()
    }
}
