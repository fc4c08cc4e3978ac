import Reporting

/// The steps of a machine in their order, each with the decision whether it runs.
public struct ProvisioningPlan: Sendable {
    public struct Entry: Sendable {
        public let step: ProvisioningStep
        public let hash: String
        public let decision: StepDecision
    }
    public let entries: [Entry]
    /// The records of every step that ever ran, by name.
    public let records: [String: StepRecord]

    public var runs: [Entry] { entries.filter(\.decision.runs) }
    public var isEmpty: Bool { runs.isEmpty }

    /// Decides without looking at the machine, so that a command knows whether it must connect at all.
    /// - Throws: ``ProvisioningError/unknownSelection(_:known:)`` if `selection` names a step that does not exist.
    public init(
        _ steps: [ProvisioningStep], records: [StepRecord], selection: StepSelection, isStart: Bool
    ) throws(ProvisioningError) {
        if case .only(let words) = selection {
            let known = steps.map(\.name) + steps.map(\.type) + ["shell", "file", "ansible", "reboot"]
            for word in words where !known.contains(word) {
                throw .unknownSelection(word, known: steps.map(\.name))
            }
        }
        // The last record of a name counts: what a hand put there twice must not trap.
        let byName = Dictionary(records.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        var entries: [Entry] = []
        for step in steps {
            // Nothing is read for what does not run anyway.
            let hash = selection == .nothing ? "" : try step.definitionHash()
            let decision = step.decision(selection, record: byName[step.name], hash: hash, isStart: isStart)
            entries.append(Entry(step: step, hash: hash, decision: decision))
        }
        self.entries = entries
        self.records = byName
    }
}
