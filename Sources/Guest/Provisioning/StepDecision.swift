/// Which steps the user wants to run.
public enum StepSelection: Hashable, Sendable {
    /// What has not succeeded or has changed, and, at a start, what runs always.
    case needed
    /// All but the manual ones (`--provision`).
    case all
    /// Those with these names or of these types (`--provision-with`).
    case only([String])
    /// `--no-provision`.
    case nothing
}

/// Whether a step runs now, and why.
public enum StepDecision: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        case neverRan = "it has not run yet"
        case failed = "it failed the last time"
        case cutOff = "it was cut off the last time"
        case changed = "its definition has changed"
        case always = "it runs at every start"
        case asked = "it was asked for"
    }
    public enum Excuse: String, Hashable, Sendable {
        case succeeded = "it has succeeded before"
        case noStart = "it runs at the start of the machine"
        case manual = "it runs only when it is named"
        case notSelected = "it was not asked for"
    }
    case run(Reason)
    case skip(Excuse)

    public var runs: Bool { if case .run = self { true } else { false } }
}

extension ProvisioningStep {
    /// - Parameters:
    ///   - record: The record of the step's last run on this machine.
    ///   - hash: ``definitionHash()`` now.
    ///   - isStart: Whether this command has started the machine, or the user asked to provision it.
    public func decision(
        _ selection: StepSelection, record: StepRecord?, hash: String, isStart: Bool
    ) -> StepDecision {
        switch selection {
        case .nothing: return .skip(.notSelected)
        case .all: return when == .manual ? .skip(.manual) : .run(.asked)
        case .only(let words):
            if words.contains(name) { return .run(.asked) }
            guard words.contains(type) else { return .skip(.notSelected) }
            // As in Vagrant, a type does not reach what is to be called by its name.
            return when == .manual ? .skip(.manual) : .run(.asked)
        case .needed: break
        }
        if when == .manual { return .skip(.manual) }
        guard let record else { return .run(.neverRan) }
        switch record.state {
        case .failed: return .run(.failed)
        case .running: return .run(.cutOff)
        case .succeeded: break
        }
        switch when {
        case .always: return isStart ? .run(.always) : .skip(.noStart)
        case .changed where record.hash != hash: return .run(.changed)
        default: return .skip(.succeeded)
        }
    }
}
