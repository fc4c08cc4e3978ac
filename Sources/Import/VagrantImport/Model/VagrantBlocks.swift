import RubyReader

/// The first parameter of a provider's block.
final class VagrantProviderConfig: RubyObject {
    let title: String
    let isWanted = true
    private let provider: VagrantProvider

    init(_ provider: VagrantProvider) {
        self.provider = provider
        title = "provider.\(provider.name)"
    }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        if call.name.hasSuffix("="), call.name != "==" {
            provider.settings[String(call.name.dropLast())] = VagrantSetting(
                value: call.arguments.last ?? .null, line: call.line)
            return call.arguments.last ?? .null
        }
        if call.arguments.isEmpty, call.block == nil {
            // `v.vmx["memsize"] = 1024` sets something in a table.
            if call.name == "vmx", provider.settings["vmx"] == nil {
                provider.settings["vmx"] = VagrantSetting(value: .table(RubyTable()), line: call.line)
            }
            return provider.settings[call.name]?.value ?? .null
        }
        try provider.add(call)
        return .null
    }
}

/// The parameter of a provisioner's block.
final class VagrantStepConfig: RubyObject {
    let title = "provisioner"
    let isWanted = true
    private let step: VagrantStep

    init(_ step: VagrantStep) { self.step = step }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        if call.name.hasSuffix("="), call.name != "==" {
            let name = String(call.name.dropLast())
            step.options[.symbol(name)] = call.arguments.last ?? .null
            step.lines[name] = call.line
            return call.arguments.last ?? .null
        }
        if call.arguments.isEmpty, call.block == nil {
            if let value = step.options.named(call.name) { return value }
            // `ansible.extra_vars[:a] = 1` begins with a table that nobody has made.
            let tables = ["extra_vars", "groups", "host_vars", "env", "json", "facter", "options"]
            guard tables.contains(call.name) else { return .null }
            let table = RubyTable()
            step.options[.symbol(call.name)] = .table(table)
            return .table(table)
        }
        try step.add(call)
        return .null
    }
}
