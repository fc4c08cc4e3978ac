import RubyReader

/// `config.vm`, `config.ssh`, or a plugin's settings.
final class VagrantPart: RubyObject {
    var title: String { "config.\(path)" }
    let isWanted = true
    private let scope: VagrantScope
    private let path: String

    init(_ scope: VagrantScope, path: String) {
        self.scope = scope
        self.path = path
    }

    private func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        if call.name.hasSuffix("="), call.name != "==" {
            scope.settings[full(String(call.name.dropLast()))] = VagrantSetting(
                value: call.arguments.last ?? .null, line: call.line)
            return call.arguments.last ?? .null
        }
        if path == "vm", let answer = try answerMachine(call, in: evaluator) { return answer }
        if call.arguments.isEmpty, call.block == nil {
            if let setting = scope.settings[full(call.name)] { return setting.value }
            let isLeaf = path == "vm" || path == "ssh"
            return isLeaf ? .null : .object(VagrantPart(scope, path: full(call.name)))
        }
        // A setting that is made by a call: `config.vm.hostname "web"`.
        if call.block == nil, path == "vm" || path == "ssh", call.arguments.count == 1,
            let value = call.arguments.first,
            call.options == nil
        {
            scope.settings[full(call.name)] = VagrantSetting(value: value, line: call.line)
            return value
        }
        try scope.checkRoom()
        scope.others.append((full(call.name), call.line))
        if let block = call.block {
            // What a trigger does is its own; what a block of a plugin sets may say more.
            let inner = VagrantScope()
            _ = try evaluator.call(block, [.object(VagrantPart(inner, path: full(call.name)))])
        }
        return .null
    }

    private func answerMachine(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        let words = Array(call.positional)
        let options = call.options ?? RubyTable()
        try scope.checkRoom()
        switch call.name {
        case "network":
            scope.networks.append(network(words, options, call.line))
        case "forward_port":
            guard words.count >= 2 else { return nil }
            let options = options
            options[.symbol("guest")] = words[0]
            options[.symbol("host")] = words[1]
            scope.networks.append(VagrantNetwork(kind: "forwarded_port", options: options, line: call.line))
        case "synced_folder":
            scope.folders.append(
                VagrantFolder(
                    host: words.first ?? .null, guest: words.dropFirst().first ?? .null, options: options,
                    line: call.line))
        case "share_folder":
            guard words.count >= 3 else { return nil }
            scope.folders.append(VagrantFolder(host: words[2], guest: words[1], options: options, line: call.line))
        case "provision": try addStep(words, options, call, in: evaluator)
        case "provider":
            let name = words.first?.symbolOrText ?? ""
            let provider = scope.providers.first { $0.name == name } ?? VagrantProvider(name: name, line: call.line)
            if !scope.providers.contains(where: { $0 === provider }) { scope.providers.append(provider) }
            for (key, value) in zip(options.keys, options.values) {
                provider.settings[key.symbolOrText ?? ""] = VagrantSetting(value: value, line: call.line)
            }
            guard let block = call.block else { return .null }
            _ = try evaluator.call(
                block, [.object(VagrantProviderConfig(provider)), .object(VagrantConfig(provider.override))])
        case "define": return try define(words, options, call, in: evaluator)
        case "customize":
            let provider =
                scope.providers.first { $0.name == "virtualbox" }
                ?? VagrantProvider(name: "virtualbox", line: call.line)
            if !scope.providers.contains(where: { $0 === provider }) { scope.providers.append(provider) }
            try provider.add(call)
        case "disk", "cloud_init":
            scope.settings["vm.\(call.name)#\(scope.settings.count)"] = VagrantSetting(
                value: .list(RubyList(words + [.table(options)])), line: call.line)
        default: return nil
        }
        return .null
    }

    private func network(_ words: [RubyValue], _ options: RubyTable, _ line: Int) -> VagrantNetwork {
        var kind = words.first?.symbolOrText ?? ""
        // As Vagrant's first version had it: `:hostonly, "10.0.0.2"`.
        let old = ["hostonly": "private_network", "bridged": "public_network"]
        if let new = old[kind] {
            kind = new
            if words.count > 1, options.named("ip") == nil { options[.symbol("ip")] = words[1] }
        }
        return VagrantNetwork(kind: kind, options: options, line: line)
    }

    private func addStep(
        _ words: [RubyValue], _ options: RubyTable, _ call: RubyCall, in evaluator: RubyEvaluator
    ) throws(RubyJump) {
        let first = words.first?.symbolOrText
        let type = options.named("type")?.symbolOrText
        let step = VagrantStep(
            name: type == nil ? options.named("name")?.text : first, type: type ?? first ?? "", options: options,
            line: call.line)
        if let block = call.block { _ = try evaluator.call(block, [.object(VagrantStepConfig(step))]) }
        scope.steps.append(step)
    }

    private func define(
        _ words: [RubyValue], _ options: RubyTable, _ call: RubyCall, in evaluator: RubyEvaluator
    ) throws(RubyJump) -> RubyValue? {
        if let unknown = words.first?.unknown { return .unknown(unknown) }
        guard let name = words.first?.text else { return nil }
        let plain = RubyPlaceholder.withoutVariables(name)
        if plain != name {
            evaluator.tell(.fixed, "'\(plain)' is taken, whatever the environment says later", at: call.line)
        }
        let machine = scope.machines.first { $0.name == plain } ?? VagrantMachine(name: plain, line: call.line)
        if !scope.machines.contains(where: { $0 === machine }) { scope.machines.append(machine) }
        guard machine.options.count < VagrantScope.limit else { throw .limit }
        machine.options.append(options)
        if let block = call.block { _ = try evaluator.call(block, [.object(VagrantConfig(machine.scope))]) }
        return .null
    }
}
