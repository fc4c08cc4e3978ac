import RubyReader

/// A whole number of a Vagrantfile, within bounds.
struct VagrantNumber {
    /// As a Wanderfile has it, with `${NAME:-8080}` where it is a variable's.
    var text: String
    /// What it is if no variable is set.
    var value: Int

    var isFixed: Bool { text == "\(value)" }
    /// With a unit after it.
    func with(_ unit: String) -> WanderfileValue { isFixed ? .plain(text + unit) : .quoted(text + unit) }
}

/// Values as a Wanderfile can have them. What is not known is told.
extension VagrantConverter {
    /// nil: the value is not known.
    func text(_ setting: VagrantSetting, _ subject: String, isImportant: Bool = true) -> String? {
        if let text = setting.value.text, setting.value.firstUnknown == nil { return VagrantText.withoutZeros(text) }
        let reason = setting.value.firstUnknown?.reason ?? "the value is not understood"
        remarks.dropped(subject, reason, at: setting.line, isImportant: isImportant)
        return nil
    }

    /// The text as if no variable was set, where a Wanderfile takes none.
    func settled(_ text: String, _ subject: String, at line: Int) -> String {
        guard RubyPlaceholder.isIn(text) else { return text }
        let plain = RubyPlaceholder.withoutVariables(text)
        remarks.changed(subject, "'\(plain)' is taken, whatever the environment says later", at: line)
        return plain
    }

    /// A whole number, or one that a variable gives, whose default has to be within the bounds; nil: it is neither.
    func number(_ setting: VagrantSetting, _ subject: String, in bounds: ClosedRange<Int>) -> VagrantNumber? {
        guard let text = text(setting, subject) else { return nil }
        let plain = RubyPlaceholder.withoutVariables(text)
        var value = Int(plain.drop { $0 == " " }.prefix { $0 != " " })
        if case .decimal = setting.value { value = Double(plain).flatMap { Int(exactly: $0.rounded()) } }
        guard let value else {
            remarks.dropped(subject, "'\(plain.prefix(40))' is not a whole number", at: setting.line)
            return nil
        }
        guard bounds.contains(value) else {
            let limits = "from \(bounds.lowerBound) to \(bounds.upperBound)"
            remarks.dropped(subject, "\(value) is not a number \(limits)", at: setting.line)
            return nil
        }
        return VagrantNumber(text: RubyPlaceholder.isIn(text) ? VagrantText.filled(text) : "\(value)", value: value)
    }
}
