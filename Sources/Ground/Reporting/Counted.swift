/// A number with its noun: `1 machine`, `2 machines`.
/// - Parameter plural: What several are called; nil: the noun with an `s`.
public func counted(_ count: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(plural ?? noun + "s")"
}
