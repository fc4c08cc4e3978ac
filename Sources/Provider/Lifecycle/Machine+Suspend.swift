import Reporting

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

    /// Lets a suspended machine go on.
    public func resume() throws -> MachineOutcome {
        try exclusively {
            let record = try runningRecord()
            let control = try provider(record.provider).control(folder)
            guard try control.isPaused else { return MachineOutcome(machine: name, actions: [.unchanged]) }
            report(.step("resuming"))
            try control.resume()
            return MachineOutcome(machine: name, actions: [.resumed])
        }
    }
}
