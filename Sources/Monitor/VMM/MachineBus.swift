internal import Boot
internal import KVM
internal import PCI
internal import Synchronization

/// Finds what answers when the guest accesses ports, or memory that is not RAM. Called on the processors' threads.
final class MachineBus: Sendable {
    /// What an access means for the machine.
    enum Outcome: Equatable {
        case proceed
        case powerOff
        case reset
    }

    private let serial: SerialPort
    private let functions: PCIBus
    private let platform: Platform
    private let computer: PersonalComputer?
    private let ports = Atomic<UInt64>(0)
    private let memory = Atomic<UInt64>(0)
    private let unknown = Atomic<UInt64>(0)

    /// - Parameter computer: What a machine with firmware has besides.
    init(serial: SerialPort, functions: PCIBus, platform: Platform, computer: PersonalComputer? = nil) {
        self.serial = serial
        self.functions = functions
        self.platform = platform
        self.computer = computer
    }

    /// Accesses to ports, to memory, and those of both that nobody answered.
    var counts: (ports: UInt64, memory: UInt64, unknown: UInt64) {
        (ports.load(ordering: .relaxed), memory.load(ordering: .relaxed), unknown.load(ordering: .relaxed))
    }

    func handle(_ access: PortAccess) -> Outcome {
        ports.wrappingAdd(1, ordering: .relaxed)
        for position in 0..<access.count {
            if access.isWrite {
                let outcome = write(access[position], access.port, access.width)
                if outcome != .proceed { return outcome }
            } else {
                access[position] = read(access.port, access.width)
            }
        }
        return .proceed
    }

    private func read(_ port: UInt16, _ width: Int) -> UInt32 {
        if let value = computer?.read(port, width) { return value }
        switch port {
        case MachineLayout.serialPorts: return UInt32(serial.read(at: port - MachineLayout.serialPorts.lowerBound))
        case MachineLayout.configurationPorts: return functions.readPort(port, count: width)
        case MachineLayout.powerPort: return 0
        case MachineLayout.keyboardPort: return 0  // Never busy, for kernels that reset by it.
        default:
            unknown.wrappingAdd(1, ordering: .relaxed)
            return .max
        }
    }

    private func write(_ value: UInt32, _ port: UInt16, _ width: Int) -> Outcome {
        if let outcome = computer?.write(value, port, width) { return outcome }
        let byte = UInt8(truncatingIfNeeded: value)
        switch port {
        case MachineLayout.serialPorts: serial.write(byte, at: port - MachineLayout.serialPorts.lowerBound)
        case MachineLayout.resetPort where width == 1:
            if byte & MachineLayout.resetPortResets != 0 { return .reset }
        case MachineLayout.configurationPorts: functions.writePort(value, port, count: width)
        case MachineLayout.powerPort:
            if byte == MachineLayout.powerOffValue { return .powerOff }
            if byte == MachineLayout.resetValue { return .reset }
        case MachineLayout.keyboardPort: if byte == MachineLayout.keyboardResets { return .reset }
        case MachineLayout.fastResetPort: if byte & MachineLayout.fastResets != 0 { return .reset }
        case MachineLayout.progressPort: break
        default: unknown.wrappingAdd(1, ordering: .relaxed)
        }
        return .proceed
    }

    func handle(_ access: MemoryAccess) {
        memory.wrappingAdd(1, ordering: .relaxed)
        let (address, width) = (access.address, access.width)
        let configuration = platform.configurationSpace
        if configuration.contains(address) {
            let offset = address - configuration.lowerBound
            if access.isWrite {
                functions.writeMappedConfiguration(access.value, at: offset, count: width)
            } else {
                access.value = functions.readMappedConfiguration(at: offset, count: width)
            }
            return
        }
        if access.isWrite {
            if functions.writeMemory(access.value, at: address, count: width) { return }
        } else if let value = functions.readMemory(at: address, count: width) {
            access.value = value
            return
        } else {
            access.value = .max
        }
        unknown.wrappingAdd(1, ordering: .relaxed)
    }
}
