import LinuxSystem
import SystemPackage

/// The places in a machine's folder where `package` works on copies of its disk.
struct Preparations {
    let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    /// Where a machine's prepared disk is.
    var prepared: MachineFolder { place(PreparedDisk.folderName) }

    /// Where `--live` keeps the copy of a running machine's disk, with the prepared disk over it in a folder of its own.
    var live: MachineFolder { place("package-live") }

    /// Where `--dry-run` looks into a copy.
    var preview: MachineFolder { place("package-list") }

    private func place(_ folder: String) -> MachineFolder {
        MachineFolder(path: machine.folder.path.appending(folder), name: machine.name)
    }

    /// The place of the prepared disk inside of another place.
    func inner(of place: MachineFolder) -> MachineFolder {
        MachineFolder(path: place.path.appending(PreparedDisk.folderName), name: machine.name)
    }

    /// Ends the guests that killed `package` commands left behind, which still read the machine's disk, and removes what
    /// they made, wherever that is.
    func discard() throws {
        for place in [prepared, live, preview] { try discard(place) }
    }

    /// The same for one place.
    func discard(_ place: MachineFolder) throws {
        guard try FileSystem.exists(place.path) else { return }
        for guest in [place, inner(of: place)] {
            guard let process = try MachineProcess.find(guest) else { continue }
            try process.end(patience: 1000) { process.identity?.kill() }
        }
        try FileSystem.removeTree(place.path)
    }
}
