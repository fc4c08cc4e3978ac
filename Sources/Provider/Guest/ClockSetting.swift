import LinuxSystem
import Reporting
import SSH

/// Sets the clock of a guest that was stopped for a while.
struct ClockSetting {
    /// How long a guest may take to say what its time is, in milliseconds.
    private static let clockPatience: Int64 = 30_000
    /// How long one that is starting may take to greet: its `up` is still to come, which waits for as long as it takes.
    private static let startingPatience: Int64 = 10_000

    let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    /// Sets the clock, or warns that it cannot be set.
    /// - Parameter session: nil opens one.
    /// - Returns: The session, if there is one now.
    func run(_ record: MachineRecord, over session: SSHSession?) throws -> SSHSession? {
        var session = session
        let reason: String
        do {
            let patience = record.isReady ? nil : Self.startingPatience
            let connected = try session ?? GuestAccess(machine).connect(record, patience: patience)
            session = connected
            switch try askClock(over: connected) {
            case .right: return session
            case .set(let behind):
                machine.report(.note("the guest's clock was \(behind) s behind and is set"))
                return session
            case .failed(let words): reason = words
            }
        } catch SSHError.interrupted {
            throw Interruption()
        } catch let interruption as Interruption {
            throw interruption
        } catch let error as any UserFacingError {
            reason = error.summary
        }
        machine.report(
            .warning(
                "the guest's clock may be behind by as long as the guest was stopped, and cannot be set: \(reason); set it by: wander ssh \(machine.name) -c \"sudo date -u -s @$(date +%s)\""
            ))
        return session
    }

    private static func answerPipe() throws(SSHError) -> DescriptorPair {
        do { return try OwnedDescriptor.pipe() } catch { throw .system(error) }
    }

    private func askClock(over session: SSHSession) throws(SSHError) -> GuestClock.Outcome {
        let word = randomIdentifier(bytes: 8)
        let answer = try Self.answerPipe()
        var said: [UInt8] = []
        var complaint: [UInt8] = []
        var isTold = false
        var command = ShellScript(GuestClock.script, [word], as: "root")
        command.milliseconds = Self.clockPatience
        let outcome = try session.run(
            command, input: .descriptor(answer.read.rawValue),
            output: { bytes in
                said += bytes.prefix(max(0, (1 << 16) - said.count))
                guard !isTold, String(decoding: said, as: UTF8.self).contains("\(word) ready\n") else { return }
                isTold = true
                let now = wallClock()
                try? answer.write.writeAll(GuestClock.line(seconds: now.seconds, nanoseconds: now.nanoseconds))
            }, error: { bytes in complaint += bytes.prefix(max(0, 4096 - complaint.count)) })
        if let answer = GuestClock.Outcome(GuestText.lines(said), after: word) { return answer }
        let words = GuestText.lines(complaint).split(separator: "\n").last
        return .failed(words.map(String.init) ?? "it ended with exit status \(outcome.shellStatus)")
    }
}
