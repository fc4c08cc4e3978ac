import RubyReader

/// The disk's size.
extension VagrantConverter {
    func convertDisk(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        if let size = machine.settings["disksize.size"] { setDisk(size, "disksize.size", &result) }
        if let size = machine.providerSetting("machine_virtual_size"),
            let gibibytes = number(size, "machine_virtual_size", in: 1...65_536)
        {
            result.set("disk", gibibytes.with("GiB"), line: size.line)
        }
        for (name, setting) in machine.settings.sorted(by: { $0.key < $1.key }) where name.hasPrefix("vm.disk#") {
            guard case .table(let options)? = setting.value.items?.last else { continue }
            let isPrimary = if case .flag(true)? = options.named("primary") { true } else { false }
            if isPrimary, let size = options.named("size") {
                setDisk(VagrantSetting(value: size, line: setting.line), "vm.disk", &result)
            } else {
                remarks.dropped("vm.disk", "a machine has one disk here: another one is left out", at: setting.line)
            }
        }
    }

    private func setDisk(_ size: VagrantSetting, _ subject: String, _ result: inout WanderfileMachine) {
        guard let text = text(size, subject) else { return }
        let plain = settled(text, subject, at: size.line)
        guard let value = Self.diskSize(plain) else {
            return remarks.dropped(subject, "'\(plain.prefix(40))' is not the size of a disk", at: size.line)
        }
        result.set("disk", .plain(value), line: size.line)
        remarks.taken(subject, as: "disk: \(value)", at: size.line)
    }

    /// `40GB`, `40 GB`, or bytes.
    private static func diskSize(_ text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits), number > 0, number < 1 << 50 else { return nil }
        switch text.dropFirst(digits.count).filter({ $0 != " " }).uppercased() {
        case "TB", "T": return number <= 64 ? "\(number)TiB" : nil
        case "GB", "G": return number <= 65_536 ? "\(number)GiB" : nil
        case "MB", "M": return number >= 64 && number <= 1 << 26 ? "\(number)MiB" : nil
        case "": return number >= 64 << 20 ? "\(number >> 20)MiB" : nil
        default: return nil
        }
    }
}
