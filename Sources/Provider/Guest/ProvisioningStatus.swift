import EnvFile
public import JSON
import LinuxSystem
import Provisioning

/// How far a machine's provisioning has come.
public struct ProvisioningStatus: Sendable, Hashable {
    public struct Step: Sendable, Hashable {
        public enum State: String, Sendable, Hashable {
            /// It has not run yet.
            case pending
            case running
            /// It was running when the command that ran it ended.
            case cutOff = "cut-off"
            case succeeded, failed
        }
        public var name: String
        /// What people see where wander made up the name.
        public var title: String?
        public var state: State
        /// The start of its last run, in seconds since 1970.
        public var started: Int64?
        public var finished: Int64?
        public var exitStatus: Int32?
    }
    /// The Wanderfile's steps in their order, then those that only the record has.
    public var steps: [Step]

    /// - Parameters:
    ///   - names: Of the Wanderfile's steps.
    ///   - busySince: When the command that works on the machine now began to, in seconds since 1970; nil if none does.
    init(names: [String], records: [StepRecord], busySince: Int64?) {
        let byName = Dictionary(records.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let left = records.map(\.name).filter { !names.contains($0) }
        steps = (names + left).map { name in
            guard let record = byName[name] else { return Step(name: name, state: .pending) }
            let state: Step.State =
                switch record.state {
                // One that began earlier was an earlier command's.
                case .running: busySince.map { record.started >= $0 } == true ? .running : .cutOff
                case .succeeded: .succeeded
                case .failed: .failed
                }
            return Step(
                name: name, state: state, started: record.started, finished: record.finished,
                exitStatus: record.exitStatus)
        }
    }

    /// For people; nil if nothing has run yet.
    /// - Parameter now: Seconds since 1970.
    func summary(now: Int64) -> String? {
        guard steps.contains(where: { $0.state != .pending }) else { return nil }
        func names(_ state: Step.State) -> String {
            steps.filter { $0.state == state }.map { $0.title ?? $0.name }.joined(separator: ", ")
        }
        var text = "provisioned \(steps.filter { $0.state == .succeeded }.count)/\(steps.count)"
        for step in steps where step.state == .running {
            text += ", \(step.title ?? step.name) is running"
            if let started = step.started {
                let seconds = max(0, now - started)
                text += " for \(seconds < 90 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s")"
            }
        }
        if !names(.failed).isEmpty { text += ", failed: \(names(.failed))" }
        if !names(.cutOff).isEmpty { text += ", cut off: \(names(.cutOff))" }
        return text
    }

    public var json: JSONValue {
        [
            "succeeded": .integer(Int64(steps.filter { $0.state == .succeeded }.count)),
            "total": .integer(Int64(steps.count)),
            "running": .optional(steps.first { $0.state == .running }?.name),
            "steps": .array(
                steps.map { step in
                    [
                        "name": .string(step.name), "state": .string(step.state.rawValue),
                        "started": .optional(step.started.map(timestamp)),
                        "finished": .optional(step.finished.map(timestamp)),
                        "exit_status": step.exitStatus.map { .integer(Int64($0)) } ?? .null,
                    ]
                }),
        ]
    }
}

extension Machine {
    /// - Parameter busySince: Since when a command works on the machine, in seconds since 1970; nil if none does.
    func provisioningStatus(_ record: MachineRecord, busySince: Int64?) -> ProvisioningStatus {
        let steps =
            definition?.provisioningSteps(in: project.environment.projectDirectory, of: project.environment) ?? []
        var status = ProvisioningStatus(names: steps.map(\.name), records: record.stepRecords, busySince: busySince)
        let titles = Dictionary(
            steps.compactMap { step in step.label.map { (step.name, $0) } }, uniquingKeysWith: { $1 })
        for index in status.steps.indices { status.steps[index].title = titles[status.steps[index].name] }
        return status
    }
}
