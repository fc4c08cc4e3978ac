internal import LinuxSystem
public import SystemPackage

/// Bytes to be placed in a guest's memory before it starts.
public struct BootWrite: Sendable {
    public enum Content: Sendable {
        case bytes([UInt8])
        case file(BootFile, offset: UInt64, count: UInt64)
    }
    /// Guest-physical.
    public var address: UInt64
    public var content: Content

    public var count: UInt64 {
        switch content {
        case .bytes(let bytes): UInt64(bytes.count)
        case .file(_, _, let count): count
        }
    }
}

/// The state in which the first processor starts.
public struct BootEntry: Equatable, Sendable {
    public enum Mode: Equatable, Sendable {
        /// 64-bit mode with paging; RSI points to the zero page.
        case long(pageTables: UInt64)
        /// Flat 32-bit mode without paging; RBX points to the start information (PVH).
        case protected
    }
    public var mode: Mode
    public var instructionPointer: UInt64
    public var stackPointer: UInt64
    /// Where the zero page or the start information is.
    public var parameters: UInt64
    /// Where the descriptor table is, and its size minus one.
    public var descriptorTable: UInt64
    public var descriptorTableLimit: UInt16
    public var interruptTable: UInt64
}

/// Everything that must be in memory, and how to start: a guest's firmware as data. Guest memory is zero elsewhere.
public struct BootPlan: Sendable {
    public enum EntryProtocol: Sendable { case linux64, pvh }

    public let writes: [BootWrite]
    public let entry: BootEntry

    /// - Parameters:
    ///   - entryProtocol: nil takes the 64-bit entry, or PVH for a kernel whose header has no other.
    public init(
        _ kernel: Kernel, initialRAMDisk: FilePath?, commandLine: String, platform: Platform,
        entryProtocol: EntryProtocol? = nil
    ) throws(BootError) {
        guard commandLine.utf8.count <= kernel.commandLineLimit else {
            throw .commandLineTooLong(count: commandLine.utf8.count, limit: kernel.commandLineLimit)
        }
        try Kernel.check(kernel.extent, memory: platform.memory, kernel.path)
        for part in kernel.parts {
            guard part.address >= kernel.extent.lowerBound, part.address + part.count <= kernel.extent.upperBound else {
                throw .damagedKernel(kernel.path, reason: "a part is outside the whole")
            }
        }
        var writes = kernel.parts.map {
            BootWrite(address: $0.address, content: .file(kernel.file, offset: $0.offset, count: $0.count))
        }
        let ramDisk = try Self.place(initialRAMDisk, above: kernel, platform)
        if let ramDisk { writes.append(ramDisk) }
        let ramDiskRange = ramDisk.map { $0.address..<$0.address + $0.count }
        writes.append(
            BootWrite(address: MachineLayout.commandLine, content: .bytes(Array(commandLine.utf8) + [0])))
        writes += ACPITables(platform).placed()
        writes.append(BootWrite(address: MachineLayout.resetVector, content: .bytes(MachineLayout.resetCode)))

        let chosen = entryProtocol ?? (kernel.setup == nil && kernel.directEntry != nil ? .pvh : .linux64)
        switch chosen {
        case .linux64:
            let page = ZeroPage(
                setup: kernel.setup, commandLineCount: commandLine.utf8.count, ramDisk: ramDiskRange,
                MemoryMap(platform))
            writes.append(BootWrite(address: MachineLayout.zeroPage, content: .bytes(page.bytes)))
            writes.append(BootWrite(address: MachineLayout.descriptorTable, content: .bytes(StartTables.descriptors)))
            writes.append(BootWrite(address: MachineLayout.pageTables, content: .bytes(StartTables.pages)))
            entry = BootEntry(
                mode: .long(pageTables: MachineLayout.pageTables), instructionPointer: kernel.entry,
                stackPointer: MachineLayout.stack, parameters: MachineLayout.zeroPage,
                descriptorTable: MachineLayout.descriptorTable, descriptorTableLimit: 31,
                interruptTable: MachineLayout.interruptTable)
        case .pvh:
            guard let direct = kernel.directEntry else {
                throw .unsupportedKernel(kernel.path, reason: "it has no PVH entry")
            }
            let start = StartInformation(ramDisk: ramDiskRange, MemoryMap(platform))
            writes.append(BootWrite(address: MachineLayout.startInformation, content: .bytes(start.bytes)))
            entry = BootEntry(
                mode: .protected, instructionPointer: direct, stackPointer: 0,
                parameters: MachineLayout.startInformation,
                descriptorTable: 0, descriptorTableLimit: 0, interruptTable: 0)
        }
        self.writes = writes
    }

    /// As high as the kernel allows, since the kernel grows upwards from where it lies.
    private static func place(
        _ path: FilePath?, above kernel: Kernel, _ platform: Platform
    ) throws(BootError) -> BootWrite? {
        guard let path else { return nil }
        let descriptor = try system { () throws(SystemError) in try OwnedDescriptor.open(path, .readOnly) }
        let size = try system { () throws(SystemError) in try FileRevision(descriptor).size }
        guard size > 0 else { return nil }
        let top = min(platform.firstMemoryEnd, kernel.initialRAMDiskLimit &+ 1)
        guard size <= top, (top - size) & ~4095 >= kernel.extent.upperBound else {
            let (needed, overflow) = kernel.extent.upperBound.addingReportingOverflow(size)
            throw .notEnoughMemory(needed: overflow ? .max : needed + 4096, available: platform.memory)
        }
        return BootWrite(address: (top - size) & ~4095, content: .file(BootFile(descriptor), offset: 0, count: size))
    }
}
