public import LinuxSystem
internal import Synchronization

/// The machine's serial port: registers for the guest, a queue of bytes each way for the monitor.
///
/// Any thread may call anything.
public final class SerialPort: Sendable {
    private struct State {
        var registers = UART()
        var transmitted: [UInt8] = []
        var hasLine = false
        var dropped = 0
    }
    /// What the monitor has not fetched, in bytes. More is dropped: a guest must not wait for a log.
    static let backlogLimit = 1 << 20

    private let state = Mutex(State())
    let interrupt: EventDescriptor
    /// Signalled when the guest transmits and nothing was waiting to be fetched, and when it ends a line.
    public let outputReady: EventDescriptor

    public init() throws(SystemError) {
        interrupt = try EventDescriptor()
        outputReady = try EventDescriptor()
    }

    func read(at offset: UInt16) -> UInt8 { state.withLock { $0.registers.read(at: offset) } }

    func write(_ value: UInt8, at offset: UInt16) {
        let (raises, isNews) = state.withLock { state in
            let effect = state.registers.write(value, at: offset)
            var isNews = false
            if let byte = effect.transmitted {
                if state.transmitted.count < Self.backlogLimit {
                    isNews = state.transmitted.isEmpty
                    state.transmitted.append(byte)
                } else {
                    state.dropped += 1
                }
                if byte == UInt8(ascii: "\n"), !state.hasLine {
                    state.hasLine = true
                    isNews = true
                }
            }
            return (effect.raisesInterrupt, isNews)
        }
        if raises { interrupt.signal() }
        if isNews { outputReady.signal() }
    }

    /// Whether the end of a line waits to be fetched.
    public var hasLine: Bool { state.withLock { $0.hasLine } }

    /// What the guest has transmitted since the last call.
    public func takeOutput() -> [UInt8] {
        state.withLock { state in
            var bytes = state.transmitted
            state.transmitted = []
            state.hasLine = false
            if state.dropped > 0 {
                bytes += Array("\r\n[\(state.dropped) \(state.dropped == 1 ? "byte" : "bytes") lost]\r\n".utf8)
                state.dropped = 0
            }
            return bytes
        }
    }

    /// Gives the guest bytes to receive.
    /// - Returns: How many found room; try the rest again later.
    public func receive(_ bytes: ArraySlice<UInt8>) -> Int {
        let (count, raises) = state.withLock { $0.registers.receive(bytes) }
        if raises { interrupt.signal() }
        return count
    }

    /// Returns the registers to the state after power-on.
    func reset() { state.withLock { $0.registers = UART() } }
}
