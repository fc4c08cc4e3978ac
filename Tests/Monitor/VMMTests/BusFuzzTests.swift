import Boot
import GuestMemory
import LinuxSystem
import NetworkAddress
import PCI
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Virtio

@testable import KVM
@testable import VMM

/// Guests whose processors access anything, in any width, at once: configuration space by both ways, windows that they
/// move about, rings wherever they like, the serial port, the power port. Nothing traps, and a reset makes it whole.
///
/// Bounded here; `WANDER_FUZZ_SECONDS` gives it that much time, `WANDER_FUZZ_SEED` sets the first seed.
@Suite struct BusFuzzTests {
    /// What a machine has between its processors and its devices, and the hypervisor's side of it where there is a KVM.
    private final class Board: Sendable {
        let memory: GuestMemory
        let functions: PCIBus
        let bus: MachineBus
        let serial: SerialPort
        let router = InterruptRouter()
        let devices: [VirtioPCIFunction]
        let peers: [SharedDescriptor]

        init(hasFirmware: Bool) throws {
            memory = try GuestMemory(byteCount: 2 << 20)
            functions = PCIBus(apertures: [MachineLayout.deviceWindow])
            serial = try SerialPort()
            let platform = Platform(.personalComputer, memory: 2 << 20, processors: 1)
            let computer =
                hasFirmware
                ? try PersonalComputer(FirmwarePlan(platform, disks: [1]), processors: 1, memory: memory) : nil
            bus = MachineBus(
                serial: serial, functions: functions,
                platform: hasFirmware ? platform : Platform(memory: 2 << 20, processors: 1), computer: computer)
            var peers: [SharedDescriptor] = []
            func socket() throws -> OwnedDescriptor {
                let pair = try UnixSocket.pair()
                let end = try pair.write.duplicate()
                try end.setNonBlocking()
                peers.append(SharedDescriptor(end))
                return try pair.read.duplicate()
            }
            let made: [any VirtioDevice] = [
                EntropyDevice(), BalloonDevice(memory: memory), try ConsoleDevice(socket: try socket()),
                try NetworkDevice(socket: try socket(), macAddress: MACAddress(rawValue: 0x0200_0000_0001)),
            ]
            var devices: [VirtioPCIFunction] = []
            for (index, device) in made.enumerated() {
                let connection = try DeviceConnection(router, vectorCount: VirtioPCIFunction.vectorCount(for: device))
                let function = try VirtioPCIFunction(
                    device, memory: memory, interrupts: connection, doorbells: connection)
                functions.add(function, at: index + 1)
                devices.append(function)
            }
            self.devices = devices
            self.peers = peers
            guard functions.assignAddresses() else { throw SystemError("assign addresses", nil, .noSpace) }
            if let hypervisor = try? Hypervisor.open() {
                let machine = try hypervisor.makeMachine()
                try machine.makeInterruptControllers(reserved: MachineLayout.hypervisorReserved)
                try router.attach(machine)
            }
        }

        func port(_ port: UInt16, _ width: Int, write values: [UInt8]?, count: Int = 1) -> (MachineBus.Outcome, [UInt8])
        {
            var bytes = values ?? [UInt8](repeating: 0, count: width * count)
            let outcome = bytes.withUnsafeMutableBytes {
                bus.handle(PortAccess(port: port, width: width, isWrite: values != nil, data: $0))
            }
            return (outcome, bytes)
        }

        func memory(_ address: UInt64, write values: [UInt8]?, count: Int) {
            var bytes = values ?? [UInt8](repeating: 0, count: count)
            bytes.withUnsafeMutableBytes {
                bus.handle(MemoryAccess(address: address, isWrite: values != nil, data: $0))
            }
        }

        func configuration(_ device: Int, _ offset: Int) -> UInt32 {
            let address = UInt32(1 << 31 | device << 11 | offset)
            _ = port(0xcf8, 4, write: (0..<4).map { UInt8(truncatingIfNeeded: address >> UInt32(8 * $0)) })
            return port(0xcfc, 4, write: nil).1.enumerated().reduce(0) {
                $0 | UInt32($1.element) << UInt32(8 * $1.offset)
            }
        }
    }

    private static func step(_ board: Board, _ random: inout SeededGenerator) {
        func any(_ limit: UInt64) -> UInt64 { UInt64.random(in: 0..<limit, using: &random) }
        func bytes(_ count: Int) -> [UInt8] {
            let small = any(2) == 0
            return (0..<count).map { small && $0 > 0 ? 0 : UInt8.random(in: 0...255, using: &random) }
        }
        switch any(12) {
        case 0...2:
            let port: UInt16 =
                switch any(5) {
                case 0: UInt16(0x3f8 + any(8))
                case 1, 2: UInt16(0xcf8 + any(8))
                case 3:
                    UInt16([0x600, 0x64, 0x92, 0xcf9, 0x80, 0x70, 0x71, 0x510 + any(12), 0x600 + any(16)][Int(any(9))])
                default: UInt16(any(0x10000))
                }
            let width = [1, 2, 4][Int(any(3))]
            let count = any(20) == 0 ? Int(any(64)) + 1 : 1
            _ = board.port(port, width, write: any(2) == 0 ? bytes(width * count) : nil, count: count)
        case 3:
            // A register of a device, by the latch.
            let address = UInt32(1 << 31 | (any(6)) << 11 | any(256) & ~3)
            _ = board.port(0xcf8, 4, write: (0..<4).map { UInt8(truncatingIfNeeded: address >> UInt32(8 * $0)) })
            _ = board.port(UInt16(0xcfc + any(4)), [1, 2, 4][Int(any(3))], write: any(2) == 0 ? bytes(4) : nil)
        case 4:
            let offset = any(8) << 15 | any(4096)
            let width = [1, 2, 4, 8, 3][Int(any(5))]
            board.memory(
                MachineLayout.configurationSpace.lowerBound + offset, write: any(2) == 0 ? bytes(width) : nil,
                count: width)
        case 5...10:
            // A window, where it lies now; mostly a register of the transport, often behind the end.
            let windows = board.devices[Int(any(UInt64(board.devices.count)))].memoryWindows
            guard let window = windows.first else { return }
            let width = [1, 2, 4, 8, 5][Int(any(5))]
            let offset = any(3) == 0 ? any(0x11000) : any(0x40)
            board.memory(window.address &+ offset, write: any(3) > 0 ? bytes(width) : nil, count: width)
        default:
            let width = Int(any(8)) + 1
            let address = any(2) == 0 ? random.next() : UInt64.max - any(16)
            board.memory(address, write: any(2) == 0 ? bytes(width) : nil, count: width)
        }
    }

    @Test("processors that access anything at once break nothing that a reset does not mend") func processors() throws {
        let seconds = environmentVariable("WANDER_FUZZ_SECONDS").flatMap { Int64($0) }
        var seed = environmentVariable("WANDER_FUZZ_SEED").flatMap { UInt64($0) } ?? 1
        let end = MonotonicClock.now.advanced(byMilliseconds: (seconds ?? 2) * 1000)
        repeat {
            let board = try Board(hasFirmware: seed % 2 == 0)
            final class Flag: Sendable { let value = Atomic<Bool>(false) }
            let flag = Flag()
            let devices = try Thread(name: "devices") {
                while !flag.value.load(ordering: .acquiring) {
                    for device in board.devices {
                        for index in device.sources.indices { device.handle(source: index) }
                    }
                }
            }
            let second = try Thread(name: "second") { [seed] in
                var random = SeededGenerator(seed: ~seed)
                for _ in 0..<1500 { Self.step(board, &random) }
            }
            var random = SeededGenerator(seed: seed)
            for _ in 0..<1500 { Self.step(board, &random) }
            second.join()
            flag.value.store(true, ordering: .releasing)
            devices.join()
            board.functions.reset()
            board.serial.reset()
            _ = board.serial.takeOutput()
            for (index, kind) in [0x1044, 0x1045, 0x1043, 0x1041].enumerated() {
                #expect(board.configuration(index + 1, 0) == UInt32(kind) << 16 | 0x1af4, "seed \(seed)")
            }
            #expect(board.devices.allSatisfy { !$0.signals.isStopped }, "seed \(seed)")
            _ = board.port(0x3f8, 1, write: [0x41])
            #expect(board.serial.takeOutput() == [0x41], "seed \(seed)")
            try board.router.attach(nil)
            seed &+= 1
        } while MonotonicClock.now < end
    }
}
