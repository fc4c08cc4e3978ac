import EnvFile
public import LinuxSystem
import Reporting
public import SSH
import SystemPackage

// What can be done with a machine. Each changing verb holds the machine's command lock while its job works.

extension Machine {
    /// Starts the machine, whatever state it is in, and provisions it.
    public func up(_ options: UpOptions) throws -> MachineOutcome {
        let definition = try defined()
        return try exclusively {
            try finishHooks()
            return try hooked(.up) { try BringUp(self, definition, options).run() }
        }
    }

    /// Restarts the machine with what the Wanderfile says now.
    public func reload(_ options: UpOptions, _ mode: HaltMode) throws -> MachineOutcome {
        let definition = try defined()
        return try exclusively {
            let record = try existingRecord()
            return try hooked(.reload) { try BringUp(self, definition, options).restart(journal(record), mode) }
        }
    }

    /// Runs provisioners of a running machine.
    public func provision(_ choice: ProvisioningChoice) throws -> MachineOutcome {
        let definition = try defined()
        return try exclusively {
            let record = try runningRecord()
            return try hooked(.provision) {
                let guest = guest(journal(record))
                defer { guest.close() }
                try guest.becomeReady(definition)
                try guest.adapt(definition)
                try guest.mountShares()
                let ran = try guest.provision(definition, choice, hasStarted: true)
                return MachineOutcome(machine: name, actions: [ran ? .provisioned : .unchanged])
            }
        }
    }

    public enum HaltMode: Sendable, Hashable {
        /// Asks the guest, and cuts the power when it has not stopped in time.
        case graceful
        /// Cuts the power.
        case force
    }

    /// Stops the machine, if it runs.
    public func halt(_ mode: HaltMode) throws -> MachineOutcome {
        guard try record() != nil else { return MachineOutcome(machine: name, actions: [.unchanged]) }
        return try exclusively {
            try finishHooks()
            guard let record = try record() else { return MachineOutcome(machine: name, actions: [.unchanged]) }
            let isAlive = try folder.isAlive()
            let stop = { try Stopping(self, journal(record)).run(mode) }
            // One that does not run is not stopped by this.
            let stopped = try isAlive ? hooked(.halt, stop) : stop()
            return MachineOutcome(machine: name, actions: [stopped ? .stopped : .unchanged])
        }
    }

    /// Stops the machine's processors and keeps its memory, until the host ends.
    public func suspend() throws -> MachineOutcome {
        try exclusively {
            let control = try control(runningRecord())
            guard try !control.isPaused else { return MachineOutcome(machine: name, actions: [.unchanged]) }
            return try hooked(.suspend) {
                report(.step("suspending"))
                try control.pause()
                return MachineOutcome(machine: name, actions: [.suspended])
            }
        }
    }

    /// Lets a suspended machine continue, and sets its clock. It also sets the clock of a running machine, since the
    /// host itself may have slept.
    public func resume() throws -> MachineOutcome {
        try exclusively {
            let record = try runningRecord()
            let control = try control(record)
            let wasPaused = try control.isPaused
            let work = {
                if wasPaused { try goOn(control) }
                let guest = guest(journal(record))
                defer { guest.close() }
                try guest.setClock()
            }
            if wasPaused { try hooked(.resume, work) } else { try work() }
            return MachineOutcome(machine: name, actions: [wasPaused ? .resumed : .unchanged])
        }
    }

    /// Lets a machine that stands still go on.
    /// - Throws: `ENOSPC` if it waits for room on the host's disk, and there is none yet.
    func goOn(_ control: any MachineControl) throws {
        report(.step("resuming"))
        let waitedForRoom = try control.waitsForRoom
        try control.resume()
        guard waitedForRoom else { return }
        // What could not be written is tried at once.
        MonotonicClock.sleep(milliseconds: 300)
        guard try control.waitsForRoom else { return }
        throw SystemError("write what \(name) has written to its disk, in", folder.path, .noSpace)
    }

    /// Stops the machine and removes it with its disk. The box stays.
    public func destroy() throws -> MachineOutcome {
        guard try FileSystem.exists(folder.path) || hasUnfinishedHooks else {
            return MachineOutcome(machine: name, actions: [.unchanged])
        }
        return try exclusively {
            try finishHooks()
            guard try FileSystem.exists(folder.path) else {
                return MachineOutcome(machine: name, actions: [.unchanged])
            }
            return try hooked(.destroy) { try Removal(self).destroy() }
        }
    }

    /// Packs the machine into a box archive. A running machine is stopped first, and stays stopped.
    ///
    /// The archive appears whole or not at all; the machine's disk is only read.
    public func package(_ options: PackageOptions) throws -> PackageOutcome {
        // What can be refused is refused before anything is stopped.
        let contents = try PackageContents(options)
        try PackageOutput.check(options, contents)
        return try exclusively { try Packager(self, completeRecord(), options).package(contents) }
    }

    /// What `package` would remove and reset.
    /// - Throws: ``PackageError/previewOfRunning(machine:)``
    public func packagePreview(_ options: PackageOptions) throws -> PreparationReport {
        try exclusively { try Packager(self, completeRecord(), options).preview() }
    }

    /// Keeps the disk as it is now. A halted machine's disk is frozen at once. A running machine's guest writes
    /// everything to disk, waits while the disk is copied, and continues.
    /// - Parameters:
    ///   - snapshot: nil makes up a name, for the stack that `pop` takes from.
    ///   - replaces: Whether it may replace one of that name.
    public func saveSnapshot(_ snapshot: String?, replaces: Bool) throws -> MachineSnapshot {
        if let snapshot { try MachineSnapshot.check(snapshot) }
        return try exclusively { try SnapshotJob(self, completeRecord()).save(snapshot, replaces: replaces) }
    }

    /// Brings the disk back to a snapshot. A running machine is powered off, since what it has not saved is lost
    /// anyway.
    /// - Parameter snapshot: nil takes the last one that was pushed.
    public func restoreSnapshot(_ snapshot: String?) throws -> MachineSnapshot {
        try exclusively { try SnapshotJob(self, completeRecord()).restore(snapshot) }
    }

    /// Deletes a snapshot. What the disk or other snapshots are based on stays, in as few layers as possible.
    public func deleteSnapshot(_ snapshot: String) throws -> MachineSnapshot {
        try exclusively { try SnapshotJob(self, completeRecord()).delete(snapshot) }
    }
}

// What looks at a machine and changes nothing.
extension Machine {
    /// The machine's snapshots, the oldest first; none if there is no machine.
    public func snapshots() throws -> [MachineSnapshot] { try project.store.load(name)?.snapshots ?? [] }

    /// The ports of the host that lead to the machine now.
    public func forwards() throws -> [MachineRecord.Forward] { try runningRecord().forwards }

    /// A session with a machine that must be running.
    public func openSession() throws -> (session: SSHSession, record: MachineRecord) {
        let record = try runningRecord()
        return (try GuestAccess(self).reach(record), record)
    }

    /// Attaches to the running machine's console; see ``MachineProvider/attachConsole(_:serial:)``.
    public func attachConsole(serial: Bool) throws -> OwnedDescriptor {
        try provider(runningRecord().provider).attachConsole(folder, serial: serial)
    }

    /// Tells the guest how large the terminal is that shows its virtio console.
    public func resizeConsole(to size: TerminalSize) throws {
        try provider(runningRecord().provider).resizeConsole(folder, to: size)
    }
}
