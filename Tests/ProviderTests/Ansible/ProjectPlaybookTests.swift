import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// Playbooks for several machines: when they run, and what is known of them later.
@Suite struct ProjectPlaybookTests {
    private static let machines = "machines: { web: { count: 2 }, db: {} }\n"

    /// Brings machines up, and then does what `up` does with the project's playbooks.
    private func up(
        _ life: LifeFixture, _ names: [String] = ["web-1", "web-2", "db"], _ choice: ProvisioningChoice = .asNeeded
    )
        throws
    {
        var started: Set<String> = []
        for name in names where try life.machine(name).up(UpOptions()).actions.contains(.started) {
            started.insert(name)
        }
        try life.project().runPlaybooks(choice, started: started)
    }

    @Test("a playbook runs once when all its machines run, and again when anything that it consists of changes")
    func whenItRuns() throws {
        let playbook = "ansible: { playbooks: [{ name: site, ansible: site.yml }], vars: { a: 1 } }"
        let life = try LifeFixture(Self.machines + playbook)
        _ = try life.folder.file("project/site.yml", Array("- hosts: all\n".utf8))
        _ = try life.folder.file("project/roles/app/tasks/main.yml", Array("- ping:\n".utf8))
        try up(life, ["web-1", "db"])
        #expect(life.playbooks.runs.isEmpty, "web-2 does not run yet")
        try up(life)
        #expect(life.playbooks.runs.map(\.playbook) == ["site.yml"])
        #expect(life.playbooks.runs.first?.options == ["--limit", "web-1,web-2,db", "--become"])
        try up(life)
        #expect(life.playbooks.runs.count == 1)
        _ = try life.folder.file("project/other.txt", Array("not its own\n".utf8))
        try up(life)
        #expect(life.playbooks.runs.count == 1)
        _ = try life.folder.file("project/roles/app/tasks/main.yml", Array("- ping: \n".utf8))
        try up(life)
        #expect(life.playbooks.runs.count == 2)
        try life.write(Self.machines + playbook.replacing("a: 1", with: "a: 2"))
        try up(life)
        #expect(life.playbooks.runs.count == 3)
        // A machine that is made anew knows nothing of it.
        _ = try life.machine("db").destroy()
        try up(life)
        #expect(life.playbooks.runs.count == 4)
        try up(life, ["db"], .only(["site"]))
        #expect(life.playbooks.runs.count == 5)
        try up(life, ["db"], .none)
        #expect(life.playbooks.runs.count == 5)
    }

    @Test("what failed or was cut off runs again, and each machine's record says so")
    func failure() throws {
        let life = try LifeFixture(Self.machines + "ansible: { playbooks: [site.yml] }")
        _ = try life.folder.file("project/site.yml")
        life.playbooks.end(.ended(.exited(2)), printing: "fatal: [db]\n")
        let error = #expect(throws: ProvisioningError.self) { try up(life) }
        #expect(error?.kind == .provisioningFailed)
        #expect(error == .stepFailed(step: "playbook-1", status: 2, signal: nil, lastLines: ["fatal: [db]"]))
        for name in ["web-1", "db"] {
            let record = try life.machine(name).existingRecord().stepRecords.last
            #expect(record?.name == "ansible playbook-1" && record?.state == .failed && record?.exitStatus == 2)
        }
        life.playbooks.end(.interrupted)
        #expect(throws: ProvisioningError.self) { try up(life) }
        #expect(try life.machine("db").existingRecord().stepRecords.last?.state == .running)
        life.playbooks.end(.timedOut)
        #expect(throws: ProvisioningError.self) { try up(life) }
        life.playbooks.end(.ended(.exited(0)))
        try up(life)
        #expect(life.playbooks.runs.count == 4)
        #expect(try life.machine("db").existingRecord().stepRecords.last?.state == .succeeded)
    }

    @Test("a playbook holds its machines while it runs, and no others")
    func locks() throws {
        let life = try LifeFixture(
            Self.machines + "ansible: { playbooks: [{ ansible: site.yml, machines: [\"web-*\"] }] }")
        _ = try life.folder.file("project/site.yml")
        let held = Mutex<[Bool]>([])
        life.playbooks.whenRun { project in
            let states = ["web-1", "web-2", "db"].map { (try? CommandLock.isHeld($0, in: project.layout)) == true }
            held.withLock { $0 = states }
        }
        try up(life)
        #expect(held.withLock { $0 } == [true, true, false])
    }

    @Test("variables never go by the command line, and are masked where they are secret")
    func secrets() throws {
        let life = try LifeFixture(
            Self.machines + """
                ansible:
                  playbooks:
                    - ansible: { playbook: site.yml, extra_vars: { password: s3cret, deep: [{ token: t0ken }] } }
                      sensitive: true
                """)
        _ = try life.folder.file("project/site.yml")
        try up(life)
        let run = try #require(life.playbooks.runs.first)
        let words = run.words(inventory: "i", variables: "v") { $0 }
        #expect(words == ["ansible-playbook", "--inventory", "i"] + run.options + ["--extra-vars", "@v", "site.yml"])
        #expect(!words.joined().contains("s3cret"))
        #expect(String(decoding: run.variables, as: UTF8.self).contains("s3cret"))
        #expect(try life.project().environment.ansible.playbooks[0].secrets == ["s3cret", "t0ken"])
    }

    @Test("a playbook in a folder of its own is that folder, one beside the Wanderfile what Ansible knows there")
    func files() throws {
        let life = try LifeFixture(
            Self.machines + """
                ansible:
                  playbooks:
                    - { name: own, ansible: { playbook: deploy/site.yml, inputs: [shared, ../far.yml], galaxy: deploy/r.yml } }
                    - { name: top, ansible: { playbook: site.yml, config: cfg/a.cfg, vault_password_file: ~/pass } }
                """)
        for name in ["deploy/site.yml", "deploy/ansible.cfg", "roles/x", "site.yml", "src/main.c"] {
            _ = try life.folder.file("project/\(name)")
        }
        let environment = try life.project().environment
        func action(_ index: Int) -> PlaybookAction? {
            guard
                case .playbook(let action) = environment.step(environment.ansible.playbooks[index], for: ["db"]).action
            else { return nil }
            return action
        }
        let own = try #require(action(0))
        #expect(own.playbook == "deploy/site.yml" && own.galaxy == "deploy/r.yml")
        #expect(own.configuration == "deploy/ansible.cfg", "Ansible is started in the project's folder")
        #expect(own.inputs.map(\.name) == ["deploy", "shared", "outside-2/far.yml"])
        let top = try #require(action(1))
        #expect(top.inputs.map(\.name).prefix(3) == ["roles", "site.yml", "cfg/a.cfg"])
        #expect(top.configuration == "cfg/a.cfg")
    }

    @Test("one that the machines run themselves is a step of each")
    func inGuest() throws {
        let life = try LifeFixture(
            Self.machines + "ansible: { playbooks: [{ name: site, ansible: { playbook: site.yml, run_in: guest } }] }")
        _ = try life.folder.file("project/site.yml")
        let environment = try life.project().environment
        let definition = try #require(environment.machine(named: "web-2"))
        let steps = definition.provisioningSteps(in: environment.projectDirectory, of: environment)
        guard case .playbook(let action)? = steps.last?.action else { throw FakeGuests.Broken(stage: "no playbook") }
        #expect(action.isInGuest && action.user == "root" && action.options.isEmpty)
        let inventory = String(decoding: action.inventory, as: UTF8.self)
        #expect(inventory.contains("ansible_connection: local") && inventory.contains("web-2"))
        #expect(!inventory.contains("web-1"))
        try up(life)
        #expect(life.playbooks.runs.isEmpty)
    }
}

/// What stands in for the host's Ansible.
final class FakePlaybooks: Sendable {
    private struct State {
        var runs: [PlaybookAction] = []
        var ending = HostCommand.Ending.ended(.exited(0))
        var text = ""
        var body: (@Sendable (Project) -> Void)?
    }
    private let state = Mutex(State())

    var runs: [PlaybookAction] { state.withLock { $0.runs } }

    /// How the next ones end.
    func end(_ ending: HostCommand.Ending, printing text: String = "") {
        state.withLock { ($0.ending, $0.text) = (ending, text) }
    }
    func whenRun(_ body: @escaping @Sendable (Project) -> Void) { state.withLock { $0.body = body } }

    func run(
        _ project: Project, _ playbook: PlaybookAction, _ output: (HostCommand.Stream, [UInt8]) -> Void
    ) throws -> HostCommand.Ending {
        let now = state.withLock { state in
            state.runs.append(playbook)
            return state
        }
        now.body?(project)
        if !now.text.isEmpty { output(.output, Array(now.text.utf8)) }
        return now.ending
    }
}
