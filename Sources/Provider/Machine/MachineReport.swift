public import JSON
import LinuxSystem

/// A machine as `status` shows it.
public struct MachineReport: Sendable {
    public var name: String
    public var state: MachineState
    public var provider: ProviderKind?
    /// The command that works on the machine now.
    public var holder: CommandLock.Holder?
    /// What the user should know: pending changes, failed provisioners, an interrupted command.
    public var remarks: [String]
    public var record: MachineRecord?
    /// How far provisioning has come; nil for a machine that was not made yet.
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
            "start": .optional(record?.start),
            "box": record.map {
                ["name": .string($0.box.name), "version": .string($0.box.version), "digest": .optional($0.box.digest)]
            } ?? .null,
            "created": record.map { .string(timestamp($0.created)) } ?? .null,
            "remarks": .strings(remarks), "provisioning": provisioning?.json ?? .null, "usage": usage?.json ?? .null,
            "shares": .array(shares.map(\.publicJSON)),
            "command": holder?.json ?? .null,
            "labels": .object(labels.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }),
        ]
    }
}
