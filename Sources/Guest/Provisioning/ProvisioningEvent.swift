/// What happens during provisioning, in order. Texts are masked already.
public enum ProvisioningEvent: Hashable, Sendable {
    public enum Stream: Hashable, Sendable { case output, error }

    /// - Parameters:
    ///   - number: From 1, among the steps that run now.
    case started(step: String, number: Int, count: Int, reason: StepDecision.Reason)
    case skipped(step: String, excuse: StepDecision.Excuse)
    /// A line that a step has printed.
    case output(step: String, Stream, line: String)
    /// Bytes of a file or folder that have been sent.
    case progress(step: String, bytes: UInt64)
    case finished(step: String, milliseconds: Int64)
    /// A ready probe is asked; what it said.
    case probe(name: String, message: String)
    case ready(probe: String)
}
