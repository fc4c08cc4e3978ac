internal import CKVM
internal import LinuxSystem
internal import SystemPackage

/// What the CPUID instruction returns to a guest, as a table of leaves.
public struct ProcessorFeatures: Sendable {
    /// One leaf, or one of its parts where the instruction takes a second argument in ECX.
    public struct Leaf: Equatable, Sendable {
        public var function: UInt32
        public var index: UInt32
        /// Whether `index` matters (KVM_CPUID_FLAG_SIGNIFCANT_INDEX).
        public var isIndexed: Bool
        public var eax: UInt32
        public var ebx: UInt32
        public var ecx: UInt32
        public var edx: UInt32

        public init(
            function: UInt32, index: UInt32 = 0, isIndexed: Bool = false, eax: UInt32 = 0, ebx: UInt32 = 0,
            ecx: UInt32 = 0, edx: UInt32 = 0
        ) {
            (self.function, self.index, self.isIndexed) = (function, index, isIndexed)
            (self.eax, self.ebx, self.ecx, self.edx) = (eax, ebx, ecx, edx)
        }
    }

    public var leaves: [Leaf]

    public init(_ leaves: [Leaf]) { self.leaves = leaves }

    public subscript(function: UInt32, index: UInt32 = 0) -> Leaf? {
        leaves.first { $0.function == function && (!$0.isIndexed || $0.index == index) }
    }

    /// Changes every leaf of that function; nothing if there is none.
    mutating func update(_ function: UInt32, _ change: (inout Leaf) -> Void) {
        for position in leaves.indices where leaves[position].function == function { change(&leaves[position]) }
    }

    mutating func replace(_ leaf: Leaf) {
        leaves.removeAll { $0.function == leaf.function && (!$0.isIndexed || $0.index == leaf.index) }
        leaves.append(leaf)
    }

    static func read(from descriptor: borrowing OwnedDescriptor, capacity: Int) throws(Errno) -> ProcessorFeatures {
        let table = unsafe makeTable(capacity: capacity)
        defer { unsafe table.deallocate() }
        try unsafe descriptor.perform(kvm_get_supported_features, pointer: table)
        // The kernel wrote how many entries it filled; it never exceeds what it was given.
        let count = min(capacity, Int(unsafe table.load(as: UInt32.self)))
        let entries = unsafe kvm_feature_entries(table)
        return ProcessorFeatures(
            (0..<count).compactMap { position in
                guard let entry = unsafe entries?[position] else { return nil }
                return Leaf(
                    function: entry.function, index: entry.index,
                    isIndexed: entry.flags & UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0,
                    eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx)
            })
    }

    func install(in processor: borrowing OwnedDescriptor) throws(Errno) {
        let table = unsafe Self.makeTable(capacity: leaves.count)
        defer { unsafe table.deallocate() }
        let entries = unsafe kvm_feature_entries(table)
        for (position, leaf) in leaves.enumerated() {
            unsafe entries?[position] = kvm_cpuid_entry2(
                function: leaf.function, index: leaf.index,
                flags: leaf.isIndexed ? UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX) : 0,
                eax: leaf.eax, ebx: leaf.ebx, ecx: leaf.ecx, edx: leaf.edx, padding: (0, 0, 0))
        }
        try unsafe processor.perform(kvm_set_features, pointer: table)
    }

    /// A zeroed kvm_cpuid2 whose count is `capacity`.
    private static func makeTable(capacity: Int) -> UnsafeMutableRawPointer {
        let size = MemoryLayout<kvm_cpuid2>.size + capacity * MemoryLayout<kvm_cpuid_entry2>.stride
        let table = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        unsafe table.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        unsafe table.storeBytes(of: UInt32(capacity), as: UInt32.self)
        return unsafe table
    }
}
