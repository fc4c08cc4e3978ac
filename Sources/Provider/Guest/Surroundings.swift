import Digest
import EnvFile
import LinuxSystem
import NetworkAddress
import Reporting
import SSH
import SystemPackage

/// What a machine's guest is told of the network that it is in: web proxies, and authorities' certificates. It is told
/// before anything is fetched in it, and once more when something of that has changed.
struct Surroundings {
    /// Where the guest has all certificates in one file, for programs with a list of their own.
    static let bundle = "/usr/local/share/wander/ca.pem"
    /// What may be trusted, in bytes.
    private static let certificateLimit = 4 << 20

    let machine: Machine
    let definition: MachineDefinition

    init(_ machine: Machine, _ definition: MachineDefinition) {
        self.machine = machine
        self.definition = definition
    }

    /// - Parameter session: Gives a session with the guest, if one is needed.
    func tell(_ journal: MachineJournal, session: () throws -> SSHSession) throws {
        let isEmpty = definition.proxy == nil && definition.caCertificates.isEmpty
        guard !isEmpty || journal.record.surroundings != nil else { return }
        let certificates = try certificates()
        let script = script
        let digest = isEmpty ? nil : digest(script, certificates)
        guard digest != journal.record.surroundings else { return }
        machine.report(.step(isEmpty ? "taking proxies and certificates out" : "setting proxies and certificates"))
        let connected = try session()
        // Written down before it happens: a part of it may be in the guest when this command is killed.
        try journal.write { $0.adapting() }
        let answer = try connected.collect(script, input: .bytes(certificates), limit: 1 << 16)
        guard answer.outcome.isSuccess else {
            throw SurroundingsError.notTaken(
                machine: machine.name, words: String(GuestText.lines(answer.output + answer.error).suffix(500)))
        }
        if GuestText.lines(answer.output).contains("no-store") {
            machine.report(
                .warning(
                    "the guest has no program that makes certificates known: the package 'ca-certificates' has it"))
        }
        try journal.write { $0.adapted(digest) }
    }

    private var script: ShellScript {
        var script = ShellScript(
            BuiltInScript.text(PackageResources.adapt_surroundings_sh),
            [
                definition.proxy?.http?.description ?? "", definition.proxy?.https?.description ?? "",
                machine.exceptionsOfProxy.joined(separator: ","), "",
            ], as: "root")
        script.milliseconds = 300_000
        return script
    }

    private func digest(_ script: ShellScript, _ certificates: [UInt8]) -> String {
        var checksum = Checksum(.sha256)
        for part in [script.text] + script.arguments {
            checksum.update(Array("\(part.utf8.count):\(part)".utf8))
        }
        checksum.update(certificates)
        return hexadecimal(checksum.finish())
    }

    /// All of them, in PEM.
    private func certificates() throws -> [UInt8] {
        let place = machine.project.environment.projectDirectory
        let writable = machine.writableFolders(definition)
        var all: [UInt8] = []
        for path in definition.caCertificates {
            let bytes: [UInt8]
            do { bytes = try writable.read(path, in: place, limit: Self.certificateLimit) } catch let error
                as SystemError
            {
                throw SurroundingsError.unreadable(path: path.text, reason: error.inWords)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard text.contains("-----BEGIN CERTIFICATE-----"), text.contains("-----END CERTIFICATE-----") else {
                throw SurroundingsError.noCertificate(path: path.text)
            }
            guard !text.contains("PRIVATE KEY-----") else { throw SurroundingsError.privateKey(path: path.text) }
            guard all.count + bytes.count < Self.certificateLimit else {
                throw SurroundingsError.tooMany(limit: Self.certificateLimit)
            }
            all += bytes + Array("\n".utf8)
        }
        return all
    }
}

extension Machine {
    /// What the machine reaches without a proxy: itself, its host, the machines of its environment, and what the
    /// Wanderfile says.
    var exceptionsOfProxy: [String] {
        guard let proxy = definition?.proxy else { return [] }
        let environment = project.environment
        return ["localhost", "127.0.0.1", "::1", ".internal", "host.internal"] + environment.machines.map(\.name)
            + environment.networks.compactMap { $0.subnet?.description } + proxy.exceptions
    }

    /// The environment of what wander runs in the guest: its surroundings', and what the Wanderfile has as `env`.
    public var commandEnvironment: [String: String] {
        (definition?.environment ?? [:]).merging(surroundingEnvironment) { own, _ in own }
    }

    /// What a changed value of does not make another command.
    var surroundingEnvironment: [String: String] {
        guard let definition else { return [:] }
        var result: [String: String] = [:]
        func set(_ name: String, _ value: String?) {
            guard let value else { return }
            (result[name], result[name.uppercased()]) = (value, value)
        }
        set("http_proxy", definition.proxy?.http?.description)
        set("https_proxy", definition.proxy?.https?.description)
        if definition.proxy != nil { set("no_proxy", exceptionsOfProxy.joined(separator: ",")) }
        if !definition.caCertificates.isEmpty { result["NODE_EXTRA_CA_CERTS"] = Surroundings.bundle }
        return result
    }
}

/// Why a guest was not told of its surroundings.
enum SurroundingsError: UserFacingError {
    case unreadable(path: String, reason: String)
    case noCertificate(path: String)
    case privateKey(path: String)
    /// - Parameter limit: In bytes.
    case tooMany(limit: Int)
    case notTaken(machine: String, words: String)

    var summary: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path), of 'ca_certificates': \(reason)"
        case .noCertificate(let path): "\(path), of 'ca_certificates', has no certificate in PEM"
        case .privateKey(let path): "\(path), of 'ca_certificates', has a private key in it, which no machine needs"
        case .tooMany(let limit): "'ca_certificates' has more than \(ByteCount(UInt64(limit)))"
        case .notTaken(let machine, _): "\(machine) did not take its proxies and certificates"
        }
    }
    var detail: String? { if case .notTaken(_, let words) = self { words.isEmpty ? nil : words } else { nil } }
    var remedy: String? {
        switch self {
        case .unreadable, .tooMany: nil
        case .noCertificate(let path): "If it is in DER: openssl x509 -inform der -in \(path) -out \(path).pem"
        case .privateKey: "Keep the certificates in a file of their own."
        case .notTaken(let machine, _): "Look at it: wander ssh \(machine)"
        }
    }
    var kind: ErrorKind {
        switch self {
        case .unreadable, .noCertificate, .privateKey, .tooMany: .invalidConfiguration
        case .notTaken: .provisioningFailed
        }
    }
}
