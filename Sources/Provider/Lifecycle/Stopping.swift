import EnvFile
import LinuxSystem
import Reporting

/// Stops a machine, and writes that into its record.
struct Stopping {
    let machine: Machine
    let journal: MachineJournal

    init(_ machine: Machine, _ journal: MachineJournal) {
        self.machine = machine
        self.journal = journal
    }

    /// - Returns: Whether it was running.
    @discardableResult
    func run(_ mode: Machine.HaltMode) throws -> Bool {
        let place = NetworkPlace(machine: machine)
        guard let process = try machine.process(of: journal.record) else {
            if [.running, .starting, .stopping].contains(journal.record.stage) {
                place.leave()
                try journal.writeIfThereIsRoom { $0.stopped() }
            }
            return false
        }
        // Looked at first: the record's next change is later than the console's last words.
        let stuck = mode == .force ? nil : StuckBoot(machine)
        if journal.record.stage != .destroying { try journal.writeIfThereIsRoom { $0.stopping() } }
        if try mode == .force || !askGracefully(process, stuck) {
            if mode == .force { machine.report(.step("cutting the power")) }
            try process.end(patience: 2000) { try machine.control(journal.record).stop() }
        }
        place.leave()
        try journal.writeIfThereIsRoom { $0.stopped() }
        return true
    }

    /// - Parameter stuck: Why nobody in the guest would answer, if that is known.
    /// - Returns: Whether the guest has stopped.
    private func askGracefully(_ process: MachineProcess, _ stuck: StuckBoot?) throws -> Bool {
        let cancellation = machine.project.cancellation
        let seconds = machine.definition.map { Int64(clamping: $0.stopTimeout.components.seconds) } ?? 60
        let deadline = MonotonicClock.now.advanced(byMilliseconds: seconds * 1000)
        machine.report(.step("asking the guest to shut down"))
        pressPowerButton()
        // Guests that listen to the button react within this time; the others are asked once more, over SSH.
        if try process.wait(milliseconds: min(4000, seconds * 1000), cancellation: cancellation) { return true }
        if let stuck {
            machine.report(.step("the guest has not come up (\(stuck.reason)); cutting its power"))
            return false
        }
        var isAsked = false
        while true {
            if !isAsked {
                let guest = machine.guest(journal)
                defer { guest.close() }
                isAsked = guest.shutDown(within: min(10_000, deadline.milliseconds(since: .now)))
            }
            let left = max(0, deadline.milliseconds(since: .now))
            if try process.wait(milliseconds: min(10_000, left), cancellation: cancellation) { return true }
            try cancellation.check()
            if left <= 10_000 { break }
            machine.report(
                .step("still waiting for the guest to shut down; \(left / 1000 - 10) s until its power is cut"))
        }
        if try !machine.folder.isAlive() { return true }
        machine.report(.warning("the guest did not shut down within \(seconds) s; cutting its power"))
        return false
    }

    private func pressPowerButton() {
        do {
            let control = try machine.control(journal.record)
            // A paused guest hears nothing.
            if try control.isPaused { try control.resume() }
            try control.pressPowerButton()
        } catch {
            machine.report(.note("the power button failed: \(error.inWords)"))
        }
    }
}
