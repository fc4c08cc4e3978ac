import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SSH

/// Waits until a login works, makes the guest accept only the machine's own key, and sets the host name.
struct FirstLogin {
    /// What is open to a machine that has just become ready.
    struct Contact {
        let session: SSHSession
        /// Root's, for the first script.
        let runner: GuestRunner
    }

    let machine: Machine
    let journal: MachineJournal
    let definition: MachineDefinition
    private let access: GuestAccess

    init(_ machine: Machine, _ journal: MachineJournal, _ definition: MachineDefinition) {
        self.machine = machine
        self.journal = journal
        self.definition = definition
        access = GuestAccess(machine)
    }

    func run() throws -> Contact {
        let own = try access.key()
        var options = access.options(journal.record)
        options.process = try machine.process(of: journal.record)?.watch
        // A box that takes the machine's key at boot needs no exchange of keys, hence no second login that proves it.
        let needsExchange = !journal.record.hasOwnKey && !access.takesKey(journal.record)
        var second: SecondConnection?
        defer { second?.abandon() }
        let login = try waitForLogin(own, options) { user in
            // Not before: a server that is slow to greet has one connection more to serve then.
            if needsExchange, second == nil { second = try? proof(user, own, options) }
        }
        if journal.record.hostKey == nil { try journal.write { $0.greeted(login.session.hostKey.line) } }
        let runner = try exchangeKeys(login, own) { () throws(SSHError) in
            if let second { return second }
            let made = try proof(journal.record.user, own, options)
            second = made
            return made
        }
        try journal.write { $0.ready() }
        return Contact(session: login.session, runner: runner)
    }

    /// - Parameter greeted: Called each time that the server has greeted, with the user who is about to log in.
    private func waitForLogin(
        _ own: SSHKeyPair, _ options: SSHSession.Options, greeted: (_ user: String) -> Void
    ) throws -> ReadyWait.Login {
        let record = journal.record
        let label = "waiting for SSH"
        machine.report(.step(label))
        var wait = ReadyWait(user: record.user, keys: access.keys(of: record, own: own), options)
        if !record.hasOwnKey, record.seed != .login, record.user == GuestAccess.conventionalUser {
            wait.password = GuestAccess.conventionalPassword
        }
        if record.provider == .emulation { wait.refusalPatience *= 4 }
        // An SSH server may be there before cloud-init has made the user.
        if record.seed == .login { wait.refusalPatience *= 4 }
        let limit = BootLimit(record.provider, definition.bootTimeout)
        let watch = BootWatch(machine, label: label, limit: limit.milliseconds)
        let started = MonotonicClock.now
        let login: ReadyWait.Login
        do {
            defer { machine.report(.finished(label: label)) }
            login = try wait.run(
                limit.wait { watch.isAlive },
                report: { stage in
                    watch.enter(stage)
                    if case .greeted = stage { greeted(wait.user) }
                }, turn: watch.turn, connect: { () throws(SSHError) in try access.stream(waiting: 1000) })
        } catch {
            throw BootDiagnosis(machine, record).explain(error)
        }
        machine.report(.note("SSH answered after \(MonotonicClock.now.milliseconds(since: started)) ms"))
        return login
    }

    /// Has the guest forget the box's keys, where it may know them still.
    /// - Parameter proof: Makes the connection that proves the machine's own key.
    private func exchangeKeys(
        _ login: ReadyWait.Login, _ own: SSHKeyPair, proof: () throws(SSHError) -> SecondConnection
    ) throws -> GuestRunner {
        let isProof = login.key?.publicKey == own.publicKey
        if journal.record.hasOwnKey, isProof {
            let runner = try rootRunner(over: login.session)
            try runner.awaitPreparation()
            return runner
        }
        if !isProof { machine.report(.step("replacing the box's well-known key with the machine's own")) }
        return try FirstContact.exchange(
            login.session, key: own.publicKey, old: access.boxKeys(of: journal.record).map(\.publicKey),
            // What logged in by the key needs no other proof; old keys may be there all the same.
            proof: isProof ? nil : proof(),
            start: { () throws(SSHError) in try rootRunner(over: login.session) },
            finish: { runner throws(SSHError) in try runner.awaitPreparation() })
    }

    private func proof(
        _ user: String, _ own: SSHKeyPair, _ options: SSHSession.Options
    ) throws(SSHError) -> SecondConnection {
        try SecondConnection(user: user, key: own, options) { [access] () throws(SSHError) in
            try access.stream(waiting: 5000)
        }
    }

    /// Root's runner, which first sets the guest's host name where it differs; nothing else of the guest's files is
    /// touched.
    private func rootRunner(over session: SSHSession) throws(SSHError) -> GuestRunner {
        let script = BuiltInScript.text(PackageResources.set_hostname_sh)
        return try GuestRunner(
            over: session, as: "root", preparing: .init(script, [definition.hostname], named: "set the host name"))
    }
}
