internal import Boot
internal import GuestMemory
internal import KVM
internal import LinuxSystem
internal import Synchronization

/// What a machine that starts by firmware has beside one that starts in a kernel: a clock with memory, ACPI's fixed
/// hardware, and what firmware asks. (The interval timer is KVM's.)
///
/// Any thread may call anything.
final class PersonalComputer: Sendable {
    private let configuration: FirmwareConfiguration
    private let clock: Mutex<ClockRegisters>
    private let power = Mutex(PowerRegisters())

    let clockInterrupt: EventDescriptor
    /// Level-triggered: raised until the guest has served it.
    let systemControlInterrupt: EventDescriptor
    /// Signalled when the guest has served the system control interrupt.
    let served: EventDescriptor
    /// Signalled when other interrupts of the clock are wanted than before.
    let clockChanged: EventDescriptor

    init(_ plan: FirmwarePlan, processors: Int, memory: GuestMemory) throws(SystemError) {
        configuration = FirmwareConfiguration(plan, memory: memory)
        clock = Mutex(ClockRegisters(processors: processors))
        clockInterrupt = try EventDescriptor()
        systemControlInterrupt = try EventDescriptor()
        served = try EventDescriptor()
        clockChanged = try EventDescriptor()
    }

    /// Ties its interrupts to a machine.
    func attach(_ machine: VirtualMachine) throws(KVMError) {
        try machine.connect(clockInterrupt, toInterrupt: MachineLayout.clockInterrupt)
        try machine.connect(systemControlInterrupt, toInterrupt: MachineLayout.systemControlInterrupt, served: served)
    }

    func reset() {
        configuration.reset()
        clock.withLock { $0.reset() }
        clockChanged.signal()
        power.withLock { $0 = PowerRegisters() }
    }

    // MARK: - Ports

    private static let powerPorts =
        MachineLayout.powerEventPort..<MachineLayout.powerEventPort + UInt16(PowerRegisters.count)

    /// - Returns: nil if the port is not one of these.
    func read(_ port: UInt16, _ width: Int) -> UInt32? {
        switch port {
        case MachineLayout.clockPorts:
            // What was chosen cannot be read.
            guard port == MachineLayout.clockPorts.upperBound, width == 1 else { return .max }
            return UInt32(clock.withLock { $0.read(now: wallClockSeconds()) })
        case MachineLayout.firmwarePorts:
            return configuration.read(at: port - MachineLayout.firmwarePorts.lowerBound, width: width)
        case Self.powerPorts:
            let offset = Int(port - Self.powerPorts.lowerBound)
            guard offset + width <= PowerRegisters.count else { return .max }
            let now = MonotonicClock.now.nanoseconds
            return power.withLock { $0.read(at: offset, width: width, nanoseconds: now) }
        // No controller: zero would be one that is never ready.
        case MachineLayout.keyboardPort: return .max
        // Address line 20 is always on.
        case MachineLayout.fastResetPort: return 0x02
        default: return nil
        }
    }

    /// - Returns: nil if the port is not one of these.
    func write(_ value: UInt32, _ port: UInt16, _ width: Int) -> MachineBus.Outcome? {
        switch port {
        case MachineLayout.clockPorts:
            guard width == 1 else { return .proceed }
            let byte = UInt8(truncatingIfNeeded: value)
            let isChange = clock.withLock { clock in
                guard port == MachineLayout.clockPorts.upperBound else {
                    clock.select(byte)
                    return false
                }
                return clock.write(byte, now: wallClockSeconds())
            }
            if isChange { clockChanged.signal() }
        case MachineLayout.firmwarePorts:
            configuration.write(value, at: port - MachineLayout.firmwarePorts.lowerBound, width: width)
        case Self.powerPorts:
            let offset = Int(port - Self.powerPorts.lowerBound)
            guard offset + width <= PowerRegisters.count else { return .proceed }
            if changePower({ $0.write(value, at: offset, width: width) }) { return .powerOff }
        default: return nil
        }
        return .proceed
    }

    // MARK: - Events

    /// Presses the power button.
    func pressPowerButton() { changePower { $0.note(.powerButton) } }

    /// The guest has served the interrupt: it comes again if there still is a reason.
    func noteServed() { changePower { _ in } }

    @discardableResult
    private func changePower<Result>(_ change: (inout PowerRegisters) -> Result) -> Result {
        power.withLock { power in
            let result = change(&power)
            if power.isRaised { systemControlInterrupt.signal() }
            return result
        }
    }

    /// How long the clock's periodic interrupts are apart, in nanoseconds, and whether each new second counts.
    var clockDemand: (period: Int64?, seconds: Bool) { clock.withLock { ($0.period, $0.watchesSeconds) } }

    /// A period is over.
    func tick() { if clock.withLock({ $0.note(.periodic) }) { clockInterrupt.signal() } }

    /// A second has begun.
    func tickSecond() { if clock.withLock({ $0.noteSecond(now: wallClockSeconds()) }) { clockInterrupt.signal() } }
}
