public import Boot
public import GuestMemory
public import SystemPackage
public import Virtio

/// What a machine is made of.
public struct MachineSpecification {
    public struct Device {
        /// Names the device's threads.
        public var name: String
        /// Whether its threads get another connection when its peer has gone.
        public var reconnects = false
        /// Whether its threads serve a folder of the host: they open, make and remove files.
        public var servesFiles = false
        /// Makes the device for a machine with that memory.
        public var make: (GuestMemory) throws -> any VirtioDevice

        public init(
            name: String, reconnects: Bool = false, servesFiles: Bool = false,
            make: @escaping (GuestMemory) throws -> any VirtioDevice
        ) {
            self.name = name
            self.reconnects = reconnects
            self.servesFiles = servesFiles
            self.make = make
        }

        public init(name: String, _ device: any VirtioDevice) { self.init(name: name) { _ in device } }
    }

    /// A kernel that the guest starts in, and what it is given.
    public struct KernelStart {
        public var kernel: FilePath
        public var cache: KernelCache?
        public var form = Kernel.Form.unpacked
        public var initialRAMDisk: FilePath?
        public var commandLine: String

        public init(kernel: FilePath, commandLine: String) {
            self.kernel = kernel
            self.commandLine = commandLine
        }
    }

    /// How the guest starts, which also decides what machine it finds.
    public enum Start {
        case kernel(KernelStart)
        /// Firmware finds a boot loader on the disks, in their order.
        case firmware(FirmwareImage)
    }

    /// RAM in bytes; a multiple of 4096.
    public var memory: UInt64
    public var processors: Int
    public var start: Start
    /// Whether the threads of processors and devices may make only the system calls that they need.
    public var isConfined = true
    /// The devices, in the order in which the guest finds them on its bus.
    public var devices: [Device] = []

    public init(memory: UInt64, processors: Int, start: Start) {
        self.memory = memory
        self.processors = processors
        self.start = start
    }

    /// Whether the bus has what UEFI firmware looks for. A BIOS would take it for a machine with system management.
    var hasChipset: Bool {
        switch start {
        case .kernel: false
        case .firmware(let image): image.kind == .uefi
        }
    }

    /// The first of ``devices`` on the bus.
    var firstDevice: Int { hasChipset ? 2 : 1 }

    /// What the guest's firmware tables tell of it.
    var platform: Platform {
        switch start {
        case .kernel: Platform(.hardwareReduced, memory: memory, processors: processors)
        case .firmware: Platform(.personalComputer, memory: memory, processors: processors)
        }
    }
}
