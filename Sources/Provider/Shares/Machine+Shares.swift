import EnvFile
import LinuxSystem

extension Machine {
    /// The folders that the machine is to be started with. Makes those that may be made.
    func openShares(_ definition: MachineDefinition) throws -> [MachineShare] {
        let place = project.environment.projectDirectory
        let writable = writableFolders(definition)
        return try definition.shares.map { try MachineShare($0, in: place, writable: writable) }
    }

    func writableFolders(_ definition: MachineDefinition) -> WritableFolders {
        WritableFolders(
            of: project.environment.machines + [definition], in: project.environment.projectDirectory)
    }

    /// What of the running machine's shares is not as it was when they were mounted.
    func shareRemarks(_ record: MachineRecord) -> [String] {
        guard !record.shares.isEmpty else { return [] }
        let gone = currentShares(record).filter { !$0.isStillThere }.map { share in
            let end = FileSystem.isAbsent(share.folder) ? "removed" : "replaced by another folder"
            return "\(share.folder) has been \(end) since it was shared at \(share.guest)"
        }
        let lost = (try? provider(record.provider).control(folder).lostShares) ?? []
        return gone
            + lost.filter(record.shares.indices.contains).map { index in
                "\(record.shares[index].guest) is no longer served: its wander-share process has exited"
            }
    }

    /// What the machine was started with, each by the name that its folder has now: the project may have moved with it.
    func currentShares(_ record: MachineRecord) -> [MachineShare] {
        record.shares.map { share in
            var moved = share
            guard let place = definition?.shares.first(where: { $0.guest == share.guest })?.host else { return share }
            moved.folder = place.resolved(in: project.environment.projectDirectory)
            return moved.isStillThere ? moved : share
        }
    }

    /// For `up --dry-run` of a machine that will be started.
    func plannedShares(_ definition: MachineDefinition) -> [String] {
        definition.shares.flatMap { share in
            let folder = share.host.resolved(in: project.environment.projectDirectory)
            let makes = share.createsHost && FileSystem.isAbsent(folder) ? ["make the folder \(folder)"] : []
            return makes + ["share \(folder) at \(share.guest)\(share.mode == .readOnly ? ", read-only" : "")"]
        }
    }
}
