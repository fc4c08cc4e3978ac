import RubyReader

/// `Vagrant`, as a Vagrantfile sees it.
final class VagrantModule: RubyObject {
    /// Plugins whose settings are taken.
    private static let plugins: Set<String> = ["vagrant-proxyconf", "vagrant-disksize", "vagrant-reload"]
    let title: String
    let isWanted = true
    private let scope: VagrantScope

    init(_ scope: VagrantScope, title: String = "Vagrant") {
        self.scope = scope
        self.title = title
    }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "configure", "run":
            guard let block = call.block else { return .null }
            return try evaluator.call(block, [.object(VagrantConfig(scope))])
        // There are no plugins, and what a file does without one is what it does here.
        case "has_plugin?":
            return .flag(call.arguments.first?.symbolOrText.map { Self.plugins.contains($0) } ?? false)
        case "require_version", "require_plugin", "plugin": return .null
        case "VERSION": return .string("2.4.9")
        case "Config", "Util", "Platform", "UI", "Errors":
            return .object(VagrantModule(scope, title: "\(title)::\(call.name)"))
        case "windows?", "darwin?", "wsl?", "cygwin?", "msys?", "solaris?", "freebsd?", "bsd?": return .flag(false)
        case "linux?", "unix?", "bit64?": return .flag(true)
        case "platform": return .string("linux")
        case "version?": return .flag(true)
        default: return nil
        }
    }
}

/// `config`, at one level.
final class VagrantConfig: RubyObject {
    let title = "config"
    let isWanted = true
    private let scope: VagrantScope

    init(_ scope: VagrantScope) { self.scope = scope }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        guard !call.name.hasSuffix("=") || call.name == "[]=" else {
            scope.settings[String(call.name.dropLast())] = VagrantSetting(
                value: call.arguments.first ?? .null, line: call.line)
            return call.arguments.first ?? .null
        }
        if call.arguments.isEmpty, call.block == nil { return .object(VagrantPart(scope, path: call.name)) }
        return try VagrantPart(scope, path: "").answer(call, in: evaluator)
    }
}
