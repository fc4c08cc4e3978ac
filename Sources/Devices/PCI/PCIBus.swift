import Synchronization

/// Bus 0 of the machine: up to 32 devices with one function each, and the function for each memory address.
///
/// Thread safety: any thread may call anything. Configuration accesses are serialised by one lock, which is held while
/// a function handles one; memory accesses hold no lock of the bus while the function works.
public final class PCIBus: Sendable {
    public static let deviceCount = 32
    /// The size of the memory-mapped configuration space of bus 0 (ECAM), in bytes: 32 devices of 8 functions of 4 KiB.
    public static let configurationByteCount: UInt64 = 1 << 20

    struct Decoded: Sendable {
        var range: Range<UInt64>
        var device: Int
        var bar: Int
        var function: any PCIFunction
    }
    struct State {
        var functions = [(any PCIFunction)?](repeating: nil, count: PCIBus.deviceCount)
        /// The latch behind ports 0xcf8 to 0xcfb.
        var addressLatch: UInt32 = 0
    }

    private let apertures: [Range<UInt64>]
    let state = Mutex(State())
    let decoded = Mutex<[Decoded]>([])

    /// - Parameter apertures: The guest-physical ranges in which functions may answer: a function that the guest moves
    ///   elsewhere, such as over RAM, answers nowhere. The first is the one ``assignAddresses()`` fills.
    public init(apertures: [Range<UInt64>]) {
        self.apertures = apertures
        add(HostBridge(), at: 0)
    }

    /// Puts a function at `device`, 1 to 31. Call it before the guest starts.
    public func add(_ function: any PCIFunction, at device: Int) {
        guard (0..<Self.deviceCount).contains(device) else { return }
        state.withLock { $0.functions[device] = function }
    }

    /// The numbers of the devices that exist, and what they are; 0 is the host bridge.
    public var functions: [(device: Int, function: any PCIFunction)] {
        state.withLock { state in
            state.functions.enumerated().compactMap { device, function in function.map { (device, $0) } }
        }
    }

    /// Gives every base address register an address in the first aperture, as firmware would: a guest may keep it.
    /// - Returns: Whether all fitted.
    public func assignAddresses() -> Bool {
        guard let aperture = apertures.first else { return functions.allSatisfy { $0.function.memoryWindows.isEmpty } }
        var next = aperture.lowerBound
        for (_, function) in functions {
            for window in function.memoryWindows {
                let (sum, overflow) = next.addingReportingOverflow(window.size - 1)
                let address = sum & ~(window.size - 1)
                let (end, endOverflow) = address.addingReportingOverflow(window.size)
                guard !overflow, !endOverflow, end <= aperture.upperBound else { return false }
                function.assignAddress(address, bar: window.bar)
                next = end
            }
        }
        return true
    }

    /// Returns every function and the bus itself to the state after power-on.
    public func reset() {
        state.withLock { state in
            state.addressLatch = 0
            for (device, function) in state.functions.enumerated() {
                guard let function else { continue }
                function.reset()
                redecode(function, at: device)
            }
        }
    }
}

// MARK: - Configuration space

extension PCIBus {
    /// Reads a register of a function; all ones where there is none.
    /// - Parameters:
    ///   - offset: 0 to 4095, in bytes.
    ///   - count: 1, 2 or 4 bytes within one aligned group of 4.
    public func readConfiguration(device: Int, offset: Int, count: Int) -> UInt32 {
        state.withLock { Self.read($0, device, offset, count) }
    }

    public func writeConfiguration(_ value: UInt32, device: Int, offset: Int, count: Int) {
        state.withLock { write($0, value, device, offset, count) }
    }

    static func read(_ state: borrowing State, _ device: Int, _ offset: Int, _ count: Int) -> UInt32 {
        let ones: UInt32 = count >= 4 ? .max : 1 << UInt32(8 * max(count, 0)) - 1
        guard (0..<deviceCount).contains(device), isAccess(offset, count), let function = state.functions[device] else {
            return ones
        }
        return function.readConfiguration(at: offset, count: count) & ones
    }

    func write(_ state: borrowing State, _ value: UInt32, _ device: Int, _ offset: Int, _ count: Int) {
        guard (0..<Self.deviceCount).contains(device), Self.isAccess(offset, count),
            let function = state.functions[device]
        else { return }
        switch function.writeConfiguration(value, at: offset, count: count) {
        case .none: break
        case .decodingChanged: redecode(function, at: device)
        }
    }

    private static func isAccess(_ offset: Int, _ count: Int) -> Bool {
        [1, 2, 4].contains(count) && offset >= 0 && offset <= 4096 - count && offset & 3 + count <= 4
    }
}

// MARK: - Memory

extension PCIBus {
    /// Reads from whichever function answers at `address`; nil if none does.
    public func readMemory(at address: UInt64, count: Int) -> UInt64? {
        guard let (entry, offset) = find(address, count) else { return nil }
        return entry.function.readMemory(bar: entry.bar, offset: offset, count: count)
    }

    /// - Returns: Whether any function answers at `address`.
    public func writeMemory(_ value: UInt64, at address: UInt64, count: Int) -> Bool {
        guard let (entry, offset) = find(address, count) else { return false }
        entry.function.writeMemory(value, bar: entry.bar, offset: offset, count: count)
        return true
    }

    private func find(_ address: UInt64, _ count: Int) -> (Decoded, offset: UInt64)? {
        guard (1...8).contains(count) else { return nil }
        return decoded.withLock { entries in
            for entry in entries where entry.range.contains(address) {
                let offset = address - entry.range.lowerBound
                // An access that hangs over the end of a window belongs to nobody.
                guard UInt64(count) <= entry.range.upperBound - address else { return nil }
                return (entry, offset)
            }
            return nil
        }
    }

    /// Brings the table of who answers where up to date with the registers of one function. The bus's lock is held.
    ///
    /// A window that is outside every aperture or overlaps another function's stays unmapped: so do the all-ones of a
    /// size probe, and the half-written address of a 64-bit register.
    func redecode(_ function: any PCIFunction, at device: Int) {
        let windows = function.memoryWindows
        let enabled = function.decodesMemory
        var moves: [(bar: Int, address: UInt64?)] = []
        decoded.withLock { entries in
            for window in windows {
                let old = entries.first { $0.device == device && $0.bar == window.bar }
                let range = enabled ? usableRange(of: window) : nil
                guard range != old?.range else { continue }
                entries.removeAll { $0.device == device && $0.bar == window.bar }
                let free = range.flatMap { range in entries.contains { $0.range.overlaps(range) } ? nil : range }
                if let free {
                    entries.append(Decoded(range: free, device: device, bar: window.bar, function: function))
                }
                moves.append((window.bar, free?.lowerBound))
            }
        }
        for move in moves { function.windowMoved(bar: move.bar, to: move.address) }
    }

    private func usableRange(of window: PCIMemoryWindow) -> Range<UInt64>? {
        let (end, overflow) = window.address.addingReportingOverflow(window.size)
        guard !overflow, window.size > 0 else { return nil }
        let fits = apertures.contains { window.address >= $0.lowerBound && end <= $0.upperBound }
        return fits ? window.address..<end : nil
    }
}
