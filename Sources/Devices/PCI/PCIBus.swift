import Synchronization

/// Bus 0 of the machine: up to 32 devices, most with one function, and the function for each memory address.
///
/// Thread safety: any thread may call anything. Configuration accesses are serialised by one lock, which is held while
/// a function handles one; memory accesses hold no lock of the bus while the function works.
public final class PCIBus: Sendable {
    public static let deviceCount = 32
    static let functionsPerDevice = 8
    /// The size of the memory-mapped configuration space of bus 0 (ECAM), in bytes: 32 devices of 8 functions of 4 KiB.
    public static let configurationByteCount: UInt64 = 1 << 20

    struct Decoded: Sendable {
        var range: Range<UInt64>
        var place: Int
        var bar: Int
        var function: any PCIFunction
    }
    struct State {
        /// By place: eight times the device's number, and the function's.
        var functions = [(any PCIFunction)?](
            repeating: nil, count: PCIBus.deviceCount * PCIBus.functionsPerDevice)
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
        add(ChipsetFunction.hostBridge, at: 0)
    }

    /// Puts a function at `device`, 1 to 31. Call it before the guest starts.
    /// - Parameter number: The function's own, 0 to 7. Systems look for others than 0 only where that one says that it
    ///   is not alone; those that know of one find it anyway.
    public func add(_ function: any PCIFunction, at device: Int, number: Int = 0) {
        guard (0..<Self.deviceCount).contains(device), (0..<Self.functionsPerDevice).contains(number) else { return }
        state.withLock { $0.functions[device * Self.functionsPerDevice + number] = function }
    }

    /// The functions that exist, in their order. The first is the host bridge.
    private var functions: [any PCIFunction] { state.withLock { $0.functions.compactMap(\.self) } }

    /// Gives every base address register an address in the first aperture, as firmware would: a guest may keep it.
    /// - Returns: Whether all fitted.
    public func assignAddresses() -> Bool {
        guard let aperture = apertures.first else { return functions.allSatisfy(\.memoryWindows.isEmpty) }
        var next = aperture.lowerBound
        for function in functions {
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
            for (place, function) in state.functions.enumerated() {
                guard let function else { continue }
                function.reset()
                redecode(function, at: place)
            }
        }
    }
}

// MARK: - Configuration space

extension PCIBus {
    /// Reads a register of a device's first function; all ones where there is none.
    /// - Parameters:
    ///   - offset: 0 to 4095, in bytes.
    ///   - count: 1, 2 or 4 bytes within one aligned group of 4.
    public func readConfiguration(device: Int, offset: Int, count: Int) -> UInt32 {
        state.withLock { Self.read($0, device * Self.functionsPerDevice, offset, count) }
    }

    public func writeConfiguration(_ value: UInt32, device: Int, offset: Int, count: Int) {
        state.withLock { write($0, value, device * Self.functionsPerDevice, offset, count) }
    }

    static func read(_ state: borrowing State, _ place: Int, _ offset: Int, _ count: Int) -> UInt32 {
        let ones: UInt32 = count >= 4 ? .max : 1 << UInt32(8 * max(count, 0)) - 1
        guard state.functions.indices.contains(place), isAccess(offset, count), let function = state.functions[place]
        else { return ones }
        return function.readConfiguration(at: offset, count: count) & ones
    }

    func write(_ state: borrowing State, _ value: UInt32, _ place: Int, _ offset: Int, _ count: Int) {
        guard state.functions.indices.contains(place), Self.isAccess(offset, count),
            let function = state.functions[place]
        else { return }
        switch function.writeConfiguration(value, at: offset, count: count) {
        case .none: break
        case .decodingChanged: redecode(function, at: place)
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
    /// size probe.
    func redecode(_ function: any PCIFunction, at place: Int) {
        let windows = function.memoryWindows
        let enabled = function.decodesMemory
        var moves: [(bar: Int, address: UInt64?)] = []
        decoded.withLock { entries in
            for window in windows {
                let old = entries.first { $0.place == place && $0.bar == window.bar }
                let range = enabled ? usableRange(of: window) : nil
                guard range != old?.range else { continue }
                entries.removeAll { $0.place == place && $0.bar == window.bar }
                let free = range.flatMap { range in entries.contains { $0.range.overlaps(range) } ? nil : range }
                if let free {
                    entries.append(Decoded(range: free, place: place, bar: window.bar, function: function))
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
