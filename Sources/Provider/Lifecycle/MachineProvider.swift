public import DiskImage
public import LinuxSystem
public import NetworkAddress
public import SystemPackage

/// Everything that a provider needs to start a machine. It is the same for every provider, and each decides how to use
/// it.
public struct LaunchPlan: Sendable {
    public struct Disk: Sendable, Hashable {
        public var path: FilePath
        public var format: DiskFormat
        public var isReadOnly = false
    }

    /// A disk that the guest writes to.
    public struct LayeredDisk: Sendable, Hashable {
        public var top: Disk
        /// The images below it, nearest first. They come from wander's records, never from the image.
        public var backing: [Disk]
    }

    public var name: String
    public var folder: MachineFolder
    /// In bytes.
    public var memory: UInt64
    public var processors: Int
    /// At least one; the guest boots from the first.
    public var disks: [LayeredDisk]
    /// More disks, after these; raw images.
    public var extraDisks: [Disk] = []
    public var shares: [MachineShare] = []
    /// Whether a guest that writes while the host's disk is full waits until there is room, instead of getting an
    /// error.
    public var waitsForRoom = true
    public var start: StartMethod
    /// The address of the network card; nil for a machine without one.
    public var hardwareAddress: MACAddress?
    /// QEMU's processor model and size of its cache of translated code, in bytes; emulation only.
    public var emulatedProcessor: String
    public var translationCache: UInt64
}

/// A way to run machines.
public protocol MachineProvider: Sendable {
    var kind: ProviderKind { get }

    /// Starts the machine's process and returns once the machine runs.
    /// - Parameter lock: The machine's liveness lock, held; the process inherits it.
    func start(
        _ plan: LaunchPlan, lock: borrowing OwnedDescriptor, cancellation: Cancellation
    ) throws -> MachineRecord.ProcessIdentity

    /// Reaches the process of a running machine.
    func control(_ folder: MachineFolder) throws -> any MachineControl

    /// Attaches to a running machine's console. What is written to the descriptor reaches the guest, and what is read
    /// comes from the guest.
    /// - Parameter serial: The serial port, even where the provider has a faster console.
    func attachConsole(_ folder: MachineFolder, serial: Bool) throws -> OwnedDescriptor

    /// Tells the guest how large the terminal is that shows its console, where the console can carry that.
    func resizeConsole(_ folder: MachineFolder, to size: TerminalSize) throws
}

/// A connection to a running machine's process. Used by one thread.
public protocol MachineControl: AnyObject {
    /// Whether its processors stand still: since somebody wanted that, or since it waits for room.
    var isPaused: Bool { get throws }
    /// Whether it stands still because the host's disk was full when the guest wrote.
    var waitsForRoom: Bool { get throws }
    /// The data that the machine has moved and the memory that it takes, as far as its process knows. Answers within
    /// two seconds.
    var usage: MachineUsage { get throws }
    /// The machine's shares, counted from 0, that are no longer served.
    var lostShares: [Int] { get throws }
    /// Asks the guest's operating system to shut down.
    func pressPowerButton() throws
    /// Ends the machine at once, as by pulling the plug.
    func stop() throws
    func pause() throws
    func resume() throws
    /// Restarts the guest at once, as by its reset button.
    func reset() throws
}
