import EnvFile
import LinuxSystem
import Reporting

extension Machine {
    /// Looks at everything and changes nothing. What cannot be read becomes a remark, so that other machines are still
    /// shown.
    /// - Parameter withUsage: Whether to ask a running machine what it uses.
    public func status(withUsage: Bool = false) throws -> MachineReport {
        do {
            return try readStatus(withUsage: withUsage)
        } catch let error as any UserFacingError {
            let runs = (try? folder.isAlive()) == true ? "it runs, and " : ""
            return MachineReport(
                name: name, state: .damaged, remarks: [runs + error.summary] + (error.remedy.map { [$0] } ?? []),
                labels: definition?.labels ?? [:])
        }
    }

    private func readStatus(withUsage: Bool) throws -> MachineReport {
        let (state, record) = try state()
        if state == .damaged { _ = try existingRecord() }
        let isBusy = try CommandLock.isHeld(name, in: project.layout)
        // Whoever has just taken the lock may not have said so yet.
        let holder = isBusy ? CommandLock.holder(project.layout.commandLock(name)) : nil
        var remarks = [holder?.words].compactMap(\.self)
        var provisioning: ProvisioningStatus?
        if let record {
            provisioning = provisioningStatus(record, busySince: isBusy ? holder?.since ?? .min : nil)
            if let summary = provisioning?.summary(now: wallClockSeconds()) { remarks.append(summary) }
            if let definition {
                let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON)
                if !changes.needingDestroy.isEmpty {
                    remarks.append("changes that take a new machine: \(changes.needingDestroy.joined(separator: ", "))")
                } else if !changes.needingRestart.isEmpty, state == .running || state == .paused {
                    remarks.append("changes for 'wander reload': \(changes.needingRestart.joined(separator: ", "))")
                }
            } else {
                remarks.append("no longer in the Wanderfile")
            }
            if state == .paused, (try? control(record).waitsForRoom) == true {
                remarks.append("this host's disk is full: make room, then 'wander up' lets it go on")
            }
            if state == .running || state == .paused {
                remarks += shareRemarks(record)
                if state == .running, !record.shares.isEmpty, !record.hasMountedShares {
                    remarks.append("its shares are not mounted: 'wander up' tries again")
                }
            }
            if state == .incomplete {
                remarks.append(
                    record.stage == .destroying ? "a destroy was interrupted" : "its creation was interrupted")
            } else if state == .stopped, record.stage == .running || record.stage == .starting {
                remarks.append("ended by itself")
            }
        }
        return MachineReport(
            name: name, state: state, provider: record?.provider, holder: holder, remarks: remarks, record: record,
            provisioning: provisioning, labels: definition?.labels ?? [:],
            shares: [.running, .paused, .starting].contains(state) ? record.map(currentShares) ?? [] : [],
            usage: withUsage ? usage() : nil)
    }
}
