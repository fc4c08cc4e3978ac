internal import Boot
internal import GuestMemory
internal import Synchronization

/// fw_cfg: how firmware asks what machine this is (QEMU, docs/specs/fw_cfg.rst). Read-only: contents by key, read byte
/// by byte at a port, or by a command in memory.
///
/// Any thread may call anything.
final class FirmwareConfiguration: Sendable {
    private struct State {
        var key: UInt16 = 0
        var position = 0
        /// Of the next command; its upper half is written first.
        var commandAddress: UInt64 = 0
    }

    /// The keys that are always there.
    private enum Key {
        static let signature: UInt16 = 0x00
        /// Which ways of access there are.
        static let interface: UInt16 = 0x01
        static let directory: UInt16 = 0x19
        static let firstFile: UInt16 = 0x20
    }
    /// The fields of a command in memory, all with their high byte first: control, length and target.
    private struct Control: OptionSet {
        let rawValue: UInt32
        static let failed = Self(rawValue: 1 << 0)
        static let read = Self(rawValue: 1 << 1)
        static let skip = Self(rawValue: 1 << 2)
        static let select = Self(rawValue: 1 << 3)
        static let write = Self(rawValue: 1 << 4)
    }
    /// The most that one command moves, in bytes: nothing is as long.
    private static let lengthLimit: UInt32 = 1 << 20
    /// What the register of commands reads as: `QEMU CFG`.
    private static let signature: [UInt8] = Array("QEMU CFG".utf8)

    private let contents: [UInt16: [UInt8]]
    private let memory: GuestMemory
    private let state = Mutex(State())

    init(_ plan: FirmwarePlan, memory: GuestMemory) {
        var contents = [Key.signature: Array("QEMU".utf8), Key.interface: [3, 0, 0, 0]]
        for item in plan.items {
            contents[item.key] = [UInt8(truncatingIfNeeded: item.value), UInt8(truncatingIfNeeded: item.value >> 8)]
        }
        // The directory: a count, then 64 bytes a file (size, key, two unused bytes, name).
        var directory = Self.bigEndian(UInt32(plan.files.count))
        for (index, file) in plan.files.enumerated() {
            let key = Key.firstFile + UInt16(index)
            contents[key] = file.bytes
            let name = Array(file.name.utf8.prefix(55))
            directory += Self.bigEndian(UInt32(file.bytes.count)) + Self.bigEndian(key) + [0, 0]
            directory += name + [UInt8](repeating: 0, count: 56 - name.count)
        }
        contents[Key.directory] = directory
        self.contents = contents
        self.memory = memory
    }

    private static func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<MemoryLayout<T>.size).reversed().map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }

    /// Reads at `offset` from the first port.
    func read(at offset: UInt16, width: Int) -> UInt32 {
        switch offset {
        case 1 where width == 1: return state.withLock { UInt32(next(&$0)) }
        case 4..<12 where Int(offset) - 4 + width <= 8:
            let start = Int(offset) - 4
            return (0..<width).reduce(0) { $0 | UInt32(Self.signature[start + $1]) << UInt32(8 * $1) }
        default: return 0
        }
    }

    func write(_ value: UInt32, at offset: UInt16, width: Int) {
        state.withLock { state in
            switch (offset, width) {
            case (0, 2): select(UInt16(truncatingIfNeeded: value), &state)
            case (4, 4): state.commandAddress = UInt64(value.byteSwapped) << 32
            case (8, 4):
                let address = state.commandAddress | UInt64(value.byteSwapped)
                state.commandAddress = 0
                perform(at: address, &state)
            default: break
            }
        }
    }

    func reset() { state.withLock { $0 = State() } }

    private func select(_ key: UInt16, _ state: inout State) {
        state.key = key
        state.position = 0
    }

    private func next(_ state: inout State) -> UInt8 {
        guard let content = contents[state.key], state.position < content.count else { return 0 }
        defer { state.position += 1 }
        return content[state.position]
    }

    /// Obeys a command of 16 bytes in the guest's memory, and writes there whether that went well.
    private func perform(at address: UInt64, _ state: inout State) {
        guard let command = try? memory.loadBytes(at: address, count: 16) else { return }
        func field(_ offset: Int, _ count: Int) -> UInt64 {
            command[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let (word, length) = (UInt32(truncatingIfNeeded: field(0, 4)), UInt32(truncatingIfNeeded: field(4, 4)))
        let control = Control(rawValue: word)
        if control.contains(.select) { select(UInt16(truncatingIfNeeded: word >> 16), &state) }
        var isDone = !control.contains(.write) && length <= Self.lengthLimit
        if isDone, control.contains(.read) {
            isDone = move(Int(length), to: field(8, 8), &state)
        } else if isDone, control.contains(.skip) {
            state.position = min(state.position + Int(length), contents[state.key]?.count ?? 0)
        }
        try? memory.store(isDone ? 0 : Control.failed.rawValue.bigEndian, at: address)
    }

    /// Behind the content's end there are zeros.
    private func move(_ count: Int, to address: UInt64, _ state: inout State) -> Bool {
        let content = contents[state.key] ?? []
        let bytes = content[min(state.position, content.count)...].prefix(count)
        guard memory.contains(address, count: count), (try? memory.store(bytes: Array(bytes), at: address)) != nil
        else {
            return false
        }
        state.position += bytes.count
        try? memory.fill(at: address + UInt64(bytes.count), count: count - bytes.count)
        return true
    }
}
