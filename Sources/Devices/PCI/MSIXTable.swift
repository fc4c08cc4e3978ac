import Synchronization

/// The MSI-X vectors of a function (PCI 3.0, section 6.8.2): the table that the guest programs, the bits of what is
/// pending, and the masks that hold interrupts back.
///
/// Thread safety: any thread may call anything. This type handles masks: a masked vector sets its pending bit without
/// reaching the sink, and fires when the mask is cleared. A route reaches the sink before the first trigger that needs
/// it, and only when it changed, so a driver that programs entries under the function mask costs one update in all.
public final class MSIXTable: Sendable {
    public static let capabilityIdentifier: UInt8 = 0x11
    /// A table entry, in bytes: address (8), data (4), control (4).
    public static let entryByteCount = 16
    public static let vectorLimit = 64

    struct Entry {
        var address: UInt64 = 0
        var data: UInt32 = 0
        var masked = true
        /// What the sink was told last.
        var routed: MessageRoute?
    }
    struct State {
        var entries: [Entry]
        var pending: UInt64 = 0
        var enabled = false
        var functionMasked = false

        func isOpen(_ vector: Int) -> Bool { enabled && !functionMasked && !entries[vector].masked }
    }

    public let vectorCount: Int
    private let sink: any MessageInterruptSink
    private let state: Mutex<State>

    /// - Parameter vectorCount: 1 to ``vectorLimit``; clamped to that.
    public init(vectorCount: Int, sink: any MessageInterruptSink) {
        let count = min(max(vectorCount, 1), Self.vectorLimit)
        self.vectorCount = count
        self.sink = sink
        state = Mutex(State(entries: Array(repeating: Entry(), count: count)))
    }

    /// The capability's body for ``ConfigurationSpace/addCapability(identifier:body:writable:)``, and its writable
    /// bits.
    /// - Parameters: Both offsets in bytes from the start of base address register `bar`, multiples of 8.
    public func capability(bar: Int, tableOffset: UInt32, pendingOffset: UInt32) -> (body: [UInt8], writable: [UInt8]) {
        let size = UInt16(vectorCount - 1)
        let words = [tableOffset | UInt32(bar), pendingOffset | UInt32(bar)]
        let body =
            [UInt8(truncatingIfNeeded: size), UInt8(size >> 8)]
            + words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        return (body, [0x00, 0xc0])
    }

    /// Takes over the capability's message control: bit 15 enables, bit 14 masks all vectors.
    public func setControl(_ messageControl: UInt16) {
        change { state in
            state.enabled = messageControl & 0x8000 != 0
            state.functionMasked = messageControl & 0x4000 != 0
        }
    }

    /// Whether the guest uses MSI-X.
    public var isEnabled: Bool { state.withLock { $0.enabled } }

    /// Sends a vector's message, now or when its mask goes. A vector that does not exist is nobody's.
    /// - Returns: Whether the guest uses MSI-X at all.
    @discardableResult
    public func trigger(_ vector: Int) -> Bool {
        let (enabled, open) = state.withLock { state in
            guard state.enabled, state.entries.indices.contains(vector) else { return (state.enabled, false) }
            if state.isOpen(vector) { return (true, true) }
            state.pending |= 1 << UInt64(vector)
            return (true, false)
        }
        if open { sink.trigger(vector: vector) }
        return enabled
    }

    /// Reads the table: 4 or 8 bytes, aligned. Anything else reads as ones.
    public func readTable(at offset: UInt64, count: Int) -> UInt64 {
        guard let (vector, field) = target(offset, count) else {
            return count >= 8 ? .max : 1 << UInt64(8 * max(count, 0)) - 1
        }
        return state.withLock { state in
            let entry = state.entries[vector]
            let words = [entry.address & 0xffff_ffff, entry.address >> 32, UInt64(entry.data), entry.masked ? 1 : 0]
            return count == 4 ? words[field] : words[field] | words[field + 1] << 32
        }
    }

    /// Writes the table: 4 or 8 bytes, aligned. Anything else is ignored.
    public func writeTable(_ value: UInt64, at offset: UInt64, count: Int) {
        guard let (vector, field) = target(offset, count) else { return }
        change { state in
            Self.set(&state.entries[vector], field, UInt32(truncatingIfNeeded: value))
            if count == 8 { Self.set(&state.entries[vector], field + 1, UInt32(truncatingIfNeeded: value >> 32)) }
        }
    }

    /// Reads the pending bits: 4 or 8 bytes, aligned.
    public func readPending(at offset: UInt64, count: Int) -> UInt64 {
        guard count == 4 || count == 8, offset % UInt64(count) == 0, offset < 8 else { return 0 }
        let bits = state.withLock { $0.pending } >> (8 * offset)
        return count == 4 ? bits & 0xffff_ffff : bits
    }

    /// Returns to the state after power-on.
    public func reset() {
        state.withLock { $0 = State(entries: Array(repeating: Entry(), count: vectorCount)) }
    }

    private static func set(_ entry: inout Entry, _ field: Int, _ word: UInt32) {
        switch field {
        case 0: entry.address = entry.address & ~0xffff_ffff | UInt64(word & ~3)
        case 1: entry.address = entry.address & 0xffff_ffff | UInt64(word) << 32
        case 2: entry.data = word
        default: entry.masked = word & 1 != 0
        }
    }

    private func target(_ offset: UInt64, _ count: Int) -> (vector: Int, field: Int)? {
        guard count == 4 || count == 8, offset % UInt64(count) == 0 else { return nil }
        guard offset < UInt64(vectorCount * Self.entryByteCount) else { return nil }
        return (Int(offset) / Self.entryByteCount, Int(offset) % Self.entryByteCount / 4)
    }

    /// Applies a register write, tells the sink what became different, and sends what waited for it.
    private func change(_ body: (inout State) -> Void) {
        let due = state.withLock { state in
            body(&state)
            var routes: [MessageRoute] = []
            var due: UInt64 = 0
            for vector in state.entries.indices where state.isOpen(vector) {
                let entry = state.entries[vector]
                let route = MessageRoute(vector: vector, address: entry.address, data: entry.data)
                if route != entry.routed {
                    state.entries[vector].routed = route
                    routes.append(route)
                }
                due |= state.pending & 1 << UInt64(vector)
            }
            state.pending &= ~due
            if !routes.isEmpty { sink.updateRoutes(routes) }
            return due
        }
        for vector in 0..<vectorCount where due >> UInt64(vector) & 1 == 1 { sink.trigger(vector: vector) }
    }
}
