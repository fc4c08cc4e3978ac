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

    /// RAM in bytes; a multiple of 4096.
    public var memory: UInt64
    public var processors: Int
    public var kernel: FilePath
    public var kernelCache: KernelCache?
    public var kernelForm = Kernel.Form.unpacked
    public var initialRAMDisk: FilePath?
    public var commandLine: String
    /// Whether the threads of processors and devices may make only the system calls that they need.
    public var isConfined = true
    /// The devices, in the order in which the guest finds them on its bus.
    public var devices: [Device] = []

    public init(memory: UInt64, processors: Int, kernel: FilePath, commandLine: String) {
        self.memory = memory
        self.processors = processors
        self.kernel = kernel
        self.commandLine = commandLine
    }
}
