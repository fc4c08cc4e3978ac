import Boot
import DiskImage
import LinuxSystem
import MonitorControl
import Reporting
import VMM
import Virtio

/// Opens what a configuration names and makes a machine's specification of it.
final class MachineAssembly {
    let specification: MachineSpecification
    private let disks: [any BlockStorage]
    /// nil without a virtio console.
    let terminal: GuestTerminal?
    private let console: ConsoleDevice?

    /// Memory for the tables of each image, in bytes: a cluster's worth maps 512 MiB.
    private static let diskCache = 512 << 10
    /// How many of the files that the process may open are not for shares.
    private static let reservedFiles = 512

    /// - Parameter connector: Connects to the configuration's networks, in their order.
    init(_ configuration: MonitorConfiguration, connector: SocketConnector?) throws {
        var specification = MachineSpecification(
            memory: configuration.memory, processors: configuration.processors,
            start: try Self.start(configuration.start))
        var disks: [any BlockStorage] = []
        for (index, disk) in configuration.disks.enumerated() {
            let layers = ([disk.image] + disk.backing).map {
                DiskLayer(path: $0.path, format: $0.format, isPlacedByRecord: true)
            }
            let storage = try DiskImage.open(
                layers, access: disk.isReadOnly ? .readOnly : .readWrite, cacheBytes: Self.diskCache)
            disks.append(storage)
            specification.devices.append(
                .init(
                    name: "disk\(index)",
                    BlockDevice(storage, identifier: disk.serial, queueCount: min(4, configuration.processors))))
        }
        for (index, network) in configuration.networks.enumerated() {
            guard let connector else { break }
            let socket = try connector.connect(index)
            try socket.setNonBlocking()
            let device = try NetworkDevice(
                socket: socket, macAddress: network.address, mtu: network.mtu,
                reconnect: { try? connector.connect(index) })
            specification.devices.append(.init(name: "net\(index)", reconnects: true) { _ in device })
        }
        if !configuration.shares.isEmpty {
            // Some are the process's own: disks, sockets, what the processors and devices wake each other with.
            let files = max(OpenFileLimit.raise() - Self.reservedFiles, Self.reservedFiles) / configuration.shares.count
            for (index, share) in configuration.shares.enumerated() {
                let device = try FileSystemDevice(
                    folder: share.path, tag: share.tag, isReadOnly: share.isReadOnly,
                    queueCount: min(4, configuration.processors), openFileLimit: files)
                specification.devices.append(.init(name: "share\(index)", servesFiles: true) { _ in device })
            }
        }
        if configuration.hasBalloon {
            specification.devices.append(.init(name: "balloon") { BalloonDevice(memory: $0) })
        }
        if configuration.hasEntropy { specification.devices.append(.init(name: "entropy", EntropyDevice())) }
        if configuration.hasTerminal {
            let pair = try UnixSocket.pair()
            let device = try ConsoleDevice(socket: try pair.read.duplicate())
            specification.devices.append(.init(name: "console", device))
            console = device
            terminal = try GuestTerminal(try pair.write.duplicate())
        } else {
            terminal = nil
            console = nil
        }
        self.specification = specification
        self.disks = disks
    }

    private static func start(_ start: MonitorConfiguration.Start) throws -> MachineSpecification.Start {
        switch start {
        case .kernel(let kernel):
            var result = MachineSpecification.KernelStart(kernel: kernel.path, commandLine: kernel.commandLine)
            result.initialRAMDisk = kernel.initialRAMDisk
            result.cache = kernel.cache.map { KernelCache(folder: $0) }
            // Unpacked here for each start anew, it would pass through memory twice more than in the guest.
            if result.cache == nil { result.form = .packed }
            return .kernel(result)
        case .firmware(let path): return .firmware(try FirmwareImage(path))
        }
    }

    /// Tells the guest how large the virtio console's terminal is, in characters.
    func resizeTerminal(columns: UInt16, rows: UInt16) { console?.resize(columns: columns, rows: rows) }

    /// Writes everything to the disk and closes the images. After the machine has stopped.
    /// - Returns: Why that failed, if it did.
    func close() -> String? {
        var failure: String?
        for disk in disks {
            do { try disk.close() } catch { failure = failure ?? error.summary }
        }
        return failure
    }
}
