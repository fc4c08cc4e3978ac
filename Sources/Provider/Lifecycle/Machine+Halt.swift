import EnvFile
import LinuxSystem
import Reporting
import SSH

extension Machine {
    public enum HaltMode: Sendable, Hashable {
        /// Asks the guest, and cuts the power when it has not stopped in time.
        case graceful
        /// Cuts the power.
        case force
    }

    /// Stops the machine. One that does not run is left alone.
    public func halt(_ mode: HaltMode) throws -> MachineOutcome {
        guard try record() != nil else { return MachineOutcome(machine: name, actions: [.unchanged]) }
        return try exclusively {
            guard var record = try record() else {
                return MachineOutcome(machine: name, actions: [.unchanged])
            }
            let stopped = try stop(&record, mode)
            return MachineOutcome(machine: name, actions: [stopped ? .stopped : .unchanged])
        }
    }

    /// Brings the machine to stopped and says so in its record.
    /// - Returns: Whether it was running.
    @discardableResult
    func stop(_ record: inout MachineRecord, _ mode: HaltMode) throws -> Bool {
        guard let process = try process(of: record) else {
            if record.stage == .running || record.stage == .starting || record.stage == .stopping {
                leaveNetwork()
                try markStopped(&record)
            }
            return false
        }
        if record.stage != .destroying {
            record.stage = .stopping
            try project.store.save(&record)
        }
        if mode == .graceful, try stopGracefully(record, process) {
            // Done.
        } else {
            if mode == .force { report(.step("cutting the power")) }
            try stopByForce(record, process)
        }
        leaveNetwork()
        try markStopped(&record)
        return true
    }

    private func markStopped(_ record: inout MachineRecord) throws {
        if record.stage != .destroying { record.stage = .stopped }
        record.process = nil
        record.isReady = false
        record.forwards = []
        try project.store.save(&record)
    }

    /// - Returns: Whether the guest has stopped.
    private func stopGracefully(_ record: MachineRecord, _ process: MachineProcess) throws -> Bool {
        let seconds = definition.map { Int64(clamping: $0.stopTimeout.components.seconds) } ?? 60
        let deadline = MonotonicClock.now.advanced(byMilliseconds: seconds * 1000)
        report(.step("asking the guest to shut down"))
        do {
            let control = try provider(record.provider).control(folder)
            // A paused guest hears nothing.
            if try control.isPaused { try control.resume() }
            try control.pressPowerButton()
        } catch {
            report(.note("the power button failed: \(error.inWords)"))
        }
        // Guests that listen to the button react within this time; the others are asked once more, over SSH.
        if try process.wait(milliseconds: min(4000, seconds * 1000), cancellation: project.cancellation) { return true }
        var isAsked = false
        while true {
            if !isAsked { isAsked = askToShutDown(record, deadline) }
            let left = max(0, deadline.milliseconds(since: .now))
            if try process.wait(milliseconds: min(10_000, left), cancellation: project.cancellation) { return true }
            try project.cancellation.check()
            if left <= 10_000 { break }
            report(.step("still waiting for the guest to shut down; \(left / 1000 - 10) s until its power is cut"))
        }
        if try !folder.isAlive() { return true }
        report(.warning("the guest did not shut down within \(seconds) s; cutting its power"))
        return false
    }

    /// Over SSH, whether or not the machine has become ready: a guest that is starting may answer meanwhile.
    /// - Returns: Whether the guest was reached.
    private func askToShutDown(_ record: MachineRecord, _ deadline: MonotonicClock) -> Bool {
        let patience = min(10_000, deadline.milliseconds(since: .now))
        guard patience > 0, let session = try? connect(record, patience: patience) else { return false }
        defer { session.close() }
        var script = ShellScript("poweroff || systemctl poweroff || shutdown -h now", as: "root")
        script.milliseconds = 5000
        _ = try? session.collect(script)
        return true
    }

    private func stopByForce(_ record: MachineRecord, _ process: MachineProcess) throws {
        try process.end(patience: 2000) { try provider(record.provider).control(folder).stop() }
    }
}
