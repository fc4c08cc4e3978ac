import RubyReader

/// A setting, and the line that made it.
struct VagrantSetting {
    var value: RubyValue
    var line: Int

    var text: String? { value.text }
}

/// What a Vagrantfile says at one level: of all machines, of one, or of one under a provider.
final class VagrantScope {
    /// `vm.box`, `ssh.username`: the last one counts.
    var settings: [String: VagrantSetting] = [:]
    var networks: [VagrantNetwork] = []
    var folders: [VagrantFolder] = []
    var steps: [VagrantStep] = []
    var providers: [VagrantProvider] = []
    var machines: [VagrantMachine] = []
    /// Of networks, folders, steps and the like at one level each: a loop may not make them without bound.
    static let limit = 200
    /// Of machines.
    static let machineLimit = 300

    /// Makes sure that one more fits.
    func checkRoom() throws(RubyJump) {
        let counts = [networks.count, folders.count, steps.count, providers.count, others.count]
        guard counts.allSatisfy({ $0 < Self.limit }), machines.count < Self.machineLimit else { throw .limit }
    }

    /// Calls that no part of the model takes, such as triggers: their path, and where they are.
    var others: [(path: String, line: Int)] = []
}

struct VagrantNetwork {
    var kind: String
    var options: RubyTable
    var line: Int
}

struct VagrantFolder {
    var host: RubyValue
    var guest: RubyValue
    var options: RubyTable
    var line: Int
}

/// A provisioner, whose options a block may set.
final class VagrantStep {
    let name: String?
    let type: String
    let options: RubyTable
    /// Where each option is set by a block.
    var lines: [String: Int] = [:]
    /// `run` and the like of provisioners for containers.
    var calls: [RubyCall] = []
    let line: Int

    init(name: String?, type: String, options: RubyTable, line: Int) {
        self.name = name
        self.type = type
        self.options = options
        self.line = line
    }

    func add(_ call: RubyCall) throws(RubyJump) {
        guard calls.count < VagrantScope.limit else { throw .limit }
        calls.append(call)
    }

    func option(_ name: String) -> RubyValue? { options.named(name).flatMap { $0.isNull ? nil : $0 } }
    func line(of option: String) -> Int { lines[option] ?? line }
}

final class VagrantProvider {
    let name: String
    let line: Int
    var settings: [String: VagrantSetting] = [:]
    /// `customize`, `storage` and the like.
    var calls: [RubyCall] = []
    /// What the file says for machines of this provider only.
    let override = VagrantScope()

    init(name: String, line: Int) {
        self.name = name
        self.line = line
    }

    func add(_ call: RubyCall) throws(RubyJump) {
        guard calls.count < VagrantScope.limit else { throw .limit }
        calls.append(call)
    }
}

final class VagrantMachine {
    let name: String
    let line: Int
    var options: [RubyTable] = []
    let scope = VagrantScope()

    init(name: String, line: Int) {
        self.name = name
        self.line = line
    }

    func option(_ name: String) -> RubyValue? { options.lazy.reversed().compactMap { $0.named(name) }.first }
}
