public import LinuxSystem
public import SystemPackage

/// Where a project's state lives: the folder `.wander` beside its Wanderfile.
public struct ProjectLayout: Sendable, Hashable {
    /// The folder with the Wanderfile.
    public let project: FilePath

    public init(project: FilePath) { self.project = project }

    public var state: FilePath { project.appending(".wander") }
    public var machines: FilePath { state.appending("machines") }
    /// wander-net's folder: its locks, and what it may write to itself.
    public var network: FilePath { state.appending("net") }
    var locks: FilePath { state.appending("locks") }
    /// Holds the environment's identifier, which stays the same when the project folder moves.
    var identityFile: FilePath { state.appending("environment.json") }

    public func machine(_ name: String) -> MachineFolder { MachineFolder(path: machines.appending(name), name: name) }
    /// Where the logs of a machine are that was removed since it never lived.
    func failedLogs(of machine: String) -> FilePath { state.appending("failed").appending(machine) }
    func commandLock(_ name: String) -> FilePath { locks.appending("\(name).lock") }

    /// Makes the folders that every changing command needs. The state keeps itself out of the project's version
    /// control.
    public func prepare() throws(SystemError) {
        for folder in [state, machines, locks, network] where try !FileSystem.isDirectory(folder) {
            try FileSystem.makeDirectory(folder, permissions: 0o700)
        }
        let ignore = state.appending(".gitignore")
        if try !FileSystem.exists(ignore) { try AtomicFile.write("*\n", to: ignore) }
    }

    /// The names of the machines that have a folder, sorted. Machines of an older Wanderfile are among them.
    public func machineNames() throws(SystemError) -> [String] {
        guard try FileSystem.exists(machines) else { return [] }
        var names: [String] = []
        for name in try FileSystem.list(machines) where try FileSystem.isDirectory(machines.appending(name)) {
            names.append(name)
        }
        return names
    }

    /// Removes what killed commands have left of files that they were writing.
    func removeLeftovers(of machine: String) throws(SystemError) {
        for folder in [state, network, self.machine(machine).path] { try AtomicFile.removeLeftovers(in: folder) }
    }
}

/// The files of one machine.
public struct MachineFolder: Sendable, Hashable {
    public let path: FilePath
    public let name: String

    public var record: FilePath { path.appending("record.json") }
    /// The layer that the guest writes to, over the box's image or over frozen layers.
    public var disk: FilePath { disk(0) }
    /// The same of each of the machine's disks, counted from 0, of which the guest boots from the first.
    func disk(_ index: Int) -> FilePath { path.appending("disk\(Self.suffix(index)).qcow2") }
    /// A frozen layer, of which snapshots are made. Beside the disk, so that the names in images stay right when it is
    /// frozen.
    func layer(_ name: String, disk: Int = 0) -> FilePath { path.appending(Self.layerFile(name, disk: disk)) }
    static func layerFile(_ name: String, disk: Int = 0) -> String { "layer-\(name)\(suffix(disk)).qcow2" }
    private static func suffix(_ disk: Int) -> String { disk == 0 ? "" : "-\(disk)" }
    /// The names of all files of layers, complete or not.
    func layerFiles() throws(SystemError) -> [String] {
        try FileSystem.list(path).filter { $0.hasPrefix("layer-") }
    }
    /// The read-only disk for cloud-init.
    var seed: FilePath { path.appending(SeedDisk.fileName) }
    /// The Wanderfile's user-data as it was when the machine was made.
    var userData: FilePath { path.appending("user-data") }
    public var privateKey: FilePath { path.appending("id_ed25519") }
    /// A key of the box's, for ssh(1) while the guest may not know the machine's own.
    func boxKey(_ index: Int) -> FilePath { path.appending("box_key_\(index)") }
    public var publicKey: FilePath { path.appending("id_ed25519.pub") }
    public var knownHosts: FilePath { path.appending("known_hosts") }
    /// The only folder that the machine's processes may change; wander-net has its sockets there. Nothing in it decides
    /// what wander starts, and wander follows no links there.
    public var run: FilePath { path.appending("run") }
    public var consoleLog: FilePath { place("console.log") }
    public var monitorLog: FilePath { place("monitor.log") }
    public var provisionLog: FilePath { path.appending("provision.log") }
    /// QEMU's or wander-vmm's control socket.
    public var controlSocket: FilePath { place("control.sock") }
    /// The socket by which the machine's network card reaches wander-net.
    public var networkSocket: FilePath { place("net.sock") }
    /// Reaches any TCP port of the guest; see `NetworkControl`.
    public var guestSocket: FilePath { place("guest.sock") }
    /// The serial port, on emulation.
    public var serialSocket: FilePath { place("serial.sock") }
    /// Held by the machine's process for as long as it lives.
    public var livenessLock: FilePath { path.appending("machine.lock") }
    /// How wander-vmm ended.
    public var endRecord: FilePath { place("end.json") }

    /// A file of ``run``. A machine that an earlier wander started has it beside its disk until it starts again.
    private func place(_ name: String) -> FilePath {
        let (now, earlier) = (run.appending(name), path.appending(name))
        return FileSystem.isAbsent(now) && !FileSystem.isAbsent(earlier) ? earlier : now
    }

    /// Makes ``run`` before a start, and brings there what an earlier wander left beside the disk.
    func prepareRun() throws(SystemError) {
        try FileSystem.makeDirectory(run, permissions: 0o700)
        for name in ["console.log", "console.log.old", "monitor.log"] where try FileSystem.exists(path.appending(name))
        {
            try FileSystem.rename(path.appending(name), to: run.appending(name))
        }
        for name in [
            "control.sock", "net.sock", "net.sock.peer", "guest.sock", "serial.sock", "end.json", "monitor.json",
        ] {
            try FileSystem.remove(path.appending(name))
        }
    }

    /// Whether the machine's process lives. Looks at the lock and changes nothing.
    public func isAlive() throws(SystemError) -> Bool {
        let file: OwnedDescriptor
        do throws(SystemError) {
            file = try OwnedDescriptor.open(livenessLock, .readWrite)
        } catch {
            guard error.errno != .noSuchFileOrDirectory else { return false }
            throw error
        }
        return try OpenFileLock.isHeldElsewhere(file)
    }
}
