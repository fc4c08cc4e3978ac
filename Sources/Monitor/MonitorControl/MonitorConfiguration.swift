public import DiskImage
public import NetworkAddress
public import SystemPackage

/// The whole configuration of one virtual machine monitor process. The process that starts it writes it as JSON to a
/// file or descriptor. Paths are absolute or relative to the monitor's working directory.
public struct MonitorConfiguration: Equatable, Sendable {
    /// No machine has more disks.
    public static let diskLimit = 16

    /// The longest text, in bytes; a longer one is refused.
    public static let sizeLimit = 1 << 20

    /// A disk image or one of the images below it.
    public struct Image: Equatable, Sendable {
        public var path: FilePath
        /// Never guessed from the content, which a guest can write.
        public var format: DiskFormat

        public init(path: FilePath, format: DiskFormat) {
            self.path = path
            self.format = format
        }
    }

    public struct Disk: Equatable, Sendable {
        public var image: Image
        /// The images that it is based on, the nearest first. Names of backing files inside images are not followed.
        public var backing: [Image]
        public var isReadOnly: Bool
        /// What the guest reads as the disk's identifier; at most 20 bytes.
        public var serial: String

        public init(image: Image, backing: [Image] = [], isReadOnly: Bool = false, serial: String) {
            self.image = image
            self.backing = backing
            self.isReadOnly = isReadOnly
            self.serial = serial
        }
    }

    public struct Network: Equatable, Sendable {
        /// Where the network process listens.
        public var socket: FilePath
        public var address: MACAddress
        /// The largest frame payload, in bytes.
        public var mtu: UInt16

        public init(socket: FilePath, address: MACAddress, mtu: UInt16 = 1500) {
            self.socket = socket
            self.address = address
            self.mtu = mtu
        }
    }

    /// A folder of the host that the guest can mount.
    public struct Share: Equatable, Sendable {
        /// The name by which the guest mounts it; 1 to 36 bytes.
        public var tag: String
        public var path: FilePath
        /// Whether the guest can only read, however it mounts the folder.
        public var isReadOnly: Bool

        public init(tag: String, path: FilePath, isReadOnly: Bool = false) {
            self.tag = tag
            self.path = path
            self.isReadOnly = isReadOnly
        }
    }

    /// A kernel that the guest starts in.
    public struct Kernel: Equatable, Sendable {
        public var path: FilePath
        public var initialRAMDisk: FilePath?
        public var commandLine: String
        /// Where unpacked kernels are kept between runs; without it the guest unpacks its kernel itself.
        public var cache: FilePath?

        public init(_ path: FilePath, initialRAMDisk: FilePath? = nil, commandLine: String, cache: FilePath? = nil) {
            self.path = path
            self.initialRAMDisk = initialRAMDisk
            self.commandLine = commandLine
            self.cache = cache
        }
    }

    /// How the guest starts.
    public enum Start: Equatable, Sendable {
        case kernel(Kernel)
        /// A firmware image, which looks for a boot loader on the disks.
        case firmware(FilePath)
    }

    /// The machine's name, for messages.
    public var name: String
    /// Guest RAM in bytes; a multiple of 1 MiB.
    public var memory: UInt64
    public var processors: Int
    public var start: Start
    public var disks: [Disk] = []
    public var networks: [Network] = []
    /// At most 16, each with a tag of its own.
    public var shares: [Share] = []
    /// Gets everything that the guest writes to its serial port.
    public var consoleLog: FilePath?
    /// Whether standard output gets the same, for who runs a monitor by hand. A reader that stops there stops the
    /// machine's console, and with it the monitor.
    public var showsConsole = false
    public var controlSocket: FilePath?
    /// The file that says how the machine ended, when it has (``MonitorEnd``).
    public var endRecord: FilePath?
    /// An inherited descriptor whose lock shows that the machine lives: the monitor keeps it open until it ends.
    public var lockDescriptor: CInt?
    /// An inherited descriptor that gets one ``MonitorStatus`` line once the guest runs or cannot, and is then closed.
    public var statusDescriptor: CInt?
    public var hasEntropy = true
    public var hasBalloon = true
    /// Whether there is a terminal besides the serial port, to which ``MonitorRequest/terminal`` attaches.
    public var hasTerminal = true

    public init(name: String, memory: UInt64, processors: Int, start: Start) {
        self.name = name
        self.memory = memory
        self.processors = processors
        self.start = start
    }
}
