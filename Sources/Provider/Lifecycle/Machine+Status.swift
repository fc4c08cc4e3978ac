import EnvFile
public import JSON
import LinuxSystem
import Reporting
public import SystemPackage

/// A machine as `status` shows it.
public struct MachineReport: Sendable {
    public var name: String
    public var state: MachineState
    public var provider: ProviderKind?
    /// What deserves to be known: pending changes, failed provisioners, an interrupted command.
    public var remarks: [String]
    public var record: MachineRecord?
    /// How far provisioning is; nil for a machine that was not made yet.
    public var provisioning: ProvisioningStatus?
    /// The definition's notes for other programs.
    public var labels: [String: String] = [:]
    /// The folders that a running machine was started with.
    public var shares: [MachineShare] = []
    /// What the machine uses, if it runs and says so.
    public var usage: MachineUsage?

    public var json: JSONValue {
        [
            "name": .string(name), "state": .string(state.rawValue), "provider": .optional(provider?.rawValue),
            "box": record.map {
                ["name": .string($0.box.name), "version": .string($0.box.version), "digest": .optional($0.box.digest)]
            } ?? .null,
            "created": record.map { .string(timestamp($0.created)) } ?? .null,
            "remarks": .strings(remarks), "provisioning": provisioning?.json ?? .null, "usage": usage?.json ?? .null,
            "shares": .array(shares.map(\.publicJSON)),
            "labels": .object(labels.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }),
        ]
    }
}

extension Machine {
    /// Looks at everything and changes nothing. What cannot be read of one machine is said, so that the others are
    /// seen.
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
        var remarks: [String] = []
        var provisioning: ProvisioningStatus?
        if let record {
            provisioning = try provisioningStatus(record)
            if let summary = provisioning?.summary(now: wallClockSeconds()) { remarks.append(summary) }
            if let definition {
                let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON)
                if !changes.needingDestroy.isEmpty {
                    remarks.append("changes that take a new machine: \(changes.needingDestroy.joined(separator: ", "))")
                } else if !changes.needingRestart.isEmpty, state == .running || state == .paused {
                    remarks.append("changes for 'wander reload': \(changes.needingRestart.joined(separator: ", "))")
                }
            } else {
                remarks.append("not in the Wanderfile any more")
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
            name: name, state: state, provider: record?.provider, remarks: remarks, record: record,
            provisioning: provisioning, labels: definition?.labels ?? [:],
            shares: [.running, .paused, .starting].contains(state) ? record.map(currentShares) ?? [] : [],
            usage: withUsage ? usage() : nil)
    }

    /// The ports of the host that lead to the machine now.
    public func forwards() throws -> [MachineRecord.Forward] { try runningRecord().forwards }

    public enum Log: Sendable { case console, monitor, provisioning }

    /// Where a log is. A machine that failed and was removed has left its logs.
    public func log(_ log: Log) -> FilePath {
        let path =
            switch log {
            case .console: folder.consoleLog
            case .monitor: folder.monitorLog
            case .provisioning: folder.provisionLog
            }
        guard FileSystem.isAbsent(path), let name = path.lastComponent else { return path }
        let left = project.layout.state.appending("failed").appending(self.name).appending(name)
        return FileSystem.isAbsent(left) ? path : left
    }

    /// What `up` would do.
    public func plan(_ provisioning: ProvisioningChoice) throws -> [String] {
        guard let definition else { throw ProviderError.notDefined(machine: name) }
        let (state, record) = try state()
        var steps: [String] = []
        switch state {
        case .damaged: _ = try existingRecord()
        case .notCreated, .incomplete:
            steps.append("create from \(definition.box)")
            steps.append("start")
        case .stopped: steps.append("start")
        case .paused: steps.append("resume")
        case .starting: steps.append("wait for SSH")
        case .running: break
        }
        if [.notCreated, .incomplete, .stopped].contains(state) { steps += plannedShares(definition) }
        if let record {
            let changes = DefinitionChanges(from: record.definition, to: definition.canonicalJSON)
            let verb = state == .stopped ? "apply" : "leave for 'wander reload'"
            steps += changes.needingRestart.map { "\(verb) \($0)" }
            steps += changes.needingDestroy.map { "leave for a new machine \($0)" }
        }
        return steps + (try plannedProvisioners(record, definition, provisioning, starts: state != .running))
    }
}
