extension ProcessorFeatures {
    /// The features of processor `index` in a guest with `count` processors: those of the host's processor, without
    /// what a guest of this monitor cannot have, in a topology of one socket with `count` cores of one thread.
    /// - Parameter tscKilohertz: The frequency of the guest's time-stamp counter, if known; saves the guest the
    ///   calibration.
    public func forProcessor(_ index: Int, of count: Int, tscKilohertz: UInt32? = nil) -> ProcessorFeatures {
        let identifier = UInt32(truncatingIfNeeded: index)
        let coreBits = count <= 1 ? 0 : UInt32(Int.bitWidth - (count - 1).leadingZeroBitCount)
        var features = self
        features.setBasicFeatures(identifier, count: count, coreBits: coreBits)
        features.setTopology(identifier, count: count, coreBits: coreBits)
        features.setParavirtualization(tscKilohertz: tscKilohertz)
        return features
    }

    private mutating func setBasicFeatures(_ identifier: UInt32, count: Int, coreBits: UInt32) {
        update(0x1) { leaf in
            // APIC identifier, addressable processors, cache line of 64 bytes.
            leaf.ebx = leaf.ebx & 0xff | identifier << 24 | (UInt32(1) << coreBits) << 16 | 8 << 8
            // KVM does not report the deadline timer here, though it has it (checked when the device is opened).
            // Without it and without a PIT the guest has nothing to calibrate its local timer against.
            leaf.ecx |= 1 << 31 | 1 << 24
            leaf.ecx &= ~(1 << 15 | 1 << 5 | 1 << 3)  // Performance capabilities, VMX, MONITOR.
            leaf.edx |= 1 << 12  // Memory type ranges: the monitor sets them.
            leaf.edx = count > 1 ? leaf.edx | 1 << 28 : leaf.edx & ~(1 << 28)
        }
        // Thermal and power management are the host's; so are the performance counters.
        update(0x6) { $0 = Leaf(function: 0x6, index: $0.index, isIndexed: $0.isIndexed, eax: $0.eax & 1 << 2) }
        update(0xa) { $0 = Leaf(function: 0xa, index: $0.index, isIndexed: $0.isIndexed) }
        update(0x8000_0001) { $0.ecx &= ~(1 << 2) }  // SVM.
        update(0x8000_000a) { $0 = Leaf(function: 0x8000_000a) }
    }

    private mutating func setTopology(_ identifier: UInt32, count: Int, coreBits: UInt32) {
        let cores = UInt32(truncatingIfNeeded: count)
        update(0x4) { leaf in  // Intel caches: threads that share one, and cores of the package.
            guard leaf.eax & 0x1f != 0 else { return }
            let level = leaf.eax >> 5 & 0x7
            let sharing = level >= 3 ? cores - 1 : 0
            leaf.eax = leaf.eax & 0x3fff | sharing << 14 | ((UInt32(1) << coreBits) - 1) << 26
        }
        update(0x8000_001d) { leaf in  // AMD caches.
            let level = leaf.eax >> 5 & 0x7
            leaf.eax = leaf.eax & 0x3fff | (level >= 3 ? cores - 1 : 0) << 14
        }
        for function in [0xb, 0x1f] as [UInt32] where function == 0xb || self[function] != nil {
            guard let maximum = self[0]?.eax, maximum >= function else { continue }
            leaves.removeAll { $0.function == function }
            leaves.append(
                Leaf(function: function, index: 0, isIndexed: true, eax: 0, ebx: 1, ecx: 1 << 8, edx: identifier))
            leaves.append(
                Leaf(
                    function: function, index: 1, isIndexed: true, eax: coreBits, ebx: cores, ecx: 2 << 8 | 1,
                    edx: identifier))
        }
        update(0x8000_0008) { leaf in leaf.ecx = coreBits << 12 | (cores - 1) }
        update(0x8000_001e) { leaf in
            leaf.eax = identifier
            leaf.ebx = identifier & 0xff
            leaf.ecx = 0
        }
    }

    private mutating func setParavirtualization(tscKilohertz: UInt32?) {
        update(0x4000_0001) { $0.eax |= 1 << 15 }  // Message-signalled interrupts to identifiers above 255.
        guard let tscKilohertz, let invariant = self[0x8000_0007], invariant.edx & 1 << 8 != 0 else { return }
        // Frequencies of the time-stamp counter and of the local timer, in kHz: both may skip their calibration.
        update(0x4000_0000) { $0.eax = max($0.eax, 0x4000_0010) }
        replace(Leaf(function: 0x4000_0010, eax: tscKilohertz, ebx: 1_000_000))
    }
}
