import Reporting
import SSH

extension Machine {
    /// Stops the machine's processors; its memory stays. Ends with the host.
    public func suspend() throws -> MachineOutcome {
        try exclusively {
            let record = try runningRecord()
            let control = try provider(record.provider).control(folder)
            guard try !control.isPaused else { return MachineOutcome(machine: name, actions: [.unchanged]) }
            report(.step("suspending"))
            try control.pause()
            return MachineOutcome(machine: name, actions: [.suspended])
        }
    }

    /// Lets a suspended machine go on, and sets its clock. So it does to one that runs: the host itself may have slept.
    public func resume() throws -> MachineOutcome {
        try exclusively {
            let record = try runningRecord()
            let control = try provider(record.provider).control(folder)
            let wasPaused = try control.isPaused
            if wasPaused {
                report(.step("resuming"))
                try control.resume()
            }
            var session: SSHSession?
            defer { session?.close() }
            try setClock(record, session: &session)
            return MachineOutcome(machine: name, actions: [wasPaused ? .resumed : .unchanged])
        }
    }
}
