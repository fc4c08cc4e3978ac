import JSON
import SystemPackage
import Testing

@testable import Provider
@testable import SSH

/// What Ansible is told of machines that need no guest to be told of.
@Suite struct AnsibleInventoryTests {
    private static let wanderfile = """
        machines:
          web: { count: 2, labels: { role: front end, tier: "1" } }
          db: { labels: { role: store } }
          off: {}
        ansible:
          groups:
            front: ["web-*"]
            shop: { children: [front, role_store_too], machines: [off] }
            role_store_too: { machines: [db], vars: { http_port: 8080 } }
          vars: { debug: false, servers: [a, b], name: "yes" }
          host_vars: { web: { weight: 1, colour: red }, web-2: { weight: 2 } }
        """

    private func inventory(of names: [String] = []) throws -> AnsibleInventory {
        let life = try LifeFixture(Self.wanderfile)
        for name in ["web-1", "web-2", "db"] { _ = try life.machine(name).up(UpOptions()) }
        let project = try life.project()
        return try AnsibleInventory(project, project.machines(named: names), program: "/opt/wander")
    }

    @Test("machines that run are in it, each with its own address for ever, its key and the way to it")
    func hosts() throws {
        let inventory = try inventory()
        #expect(inventory.hosts.map(\.name) == ["web-1", "web-2", "db"])
        #expect(inventory.missing == ["off"])
        let addresses = Set(inventory.hosts.compactMap { $0.value["ansible_host"]?.stringValue })
        #expect(addresses.count == 3 && addresses.allSatisfy { $0.hasPrefix("wander-") })
        let web = try #require(inventory.variables(of: "web-1"))
        #expect(web["ansible_port"] == 22)
        let options = try #require(web["ansible_ssh_common_args"]?.stringValue)
        for option in ["IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "/machines/web-1/id_ed25519", "net connect"] {
            #expect(options.contains(option), "\(option)")
        }
        #expect(inventory.variables(of: "off") == nil)
    }

    @Test("a machine's own variables win over those of the name that 'count' multiplies")
    func hostVariables() throws {
        let inventory = try inventory()
        #expect(inventory.variables(of: "web-1")?["weight"] == 1)
        #expect(inventory.variables(of: "web-2")?["weight"] == 2)
        #expect(inventory.variables(of: "web-2")?["colour"] == "red")
        #expect(inventory.variables(of: "db")?["weight"] == nil)
    }

    @Test("groups are those of 'count', of labels and of the file, without machines that do not run")
    func groups() throws {
        let list = try inventory().dynamicList
        #expect(list["web"]?["hosts"] == ["web-1", "web-2"])
        #expect(list["role_front_end"]?["hosts"] == ["web-1", "web-2"])
        #expect(list["role_store"]?["hosts"] == ["db"])
        #expect(list["front"]?["hosts"] == ["web-1", "web-2"])
        #expect(list["shop"]?["children"] == ["front", "role_store_too"])
        #expect(list["shop"]?["hosts"] == [])
        #expect(list["role_store_too"]?["vars"] == ["http_port": 8080])
        #expect(list["all"]?["vars"] == ["debug": false, "servers": ["a", "b"], "name": "yes"])
        // What is in a group is not beside it.
        let children = list["all"]?["children"]?.arrayValue ?? []
        #expect(children.contains("shop") && !children.contains("front"))
        #expect(list["_meta"]?["hostvars"]?.objectValue?.map(\.name) == ["web-1", "web-2", "db"])
    }

    @Test("an inventory of one machine has no other")
    func single() throws {
        let tree = try inventory(of: ["db"]).tree["all"]
        #expect(tree?["hosts"]?.objectValue?.map(\.name) == ["db"])
        #expect(tree?["children"]?["role_store"] == ["hosts": ["db": [:]]])
        #expect(tree?["children"]?["front"] == [:])
    }

    @Test("each option of ssh(1) is one word for Ansible, which splits them as a shell does")
    func options() {
        var block = SSHConfigBlock(
            host: "web", port: 2222, user: "dev", identityFiles: ["/home/a b/it's"], knownHostsFile: "/k",
            hostKeyAlias: "wander-1")
        block.proxyCommand = ["/opt/wander", "net", "connect"]
        let members = JSONValue.object(AnsibleInventory.connection(block))
        #expect(members["ansible_user"] == "dev")
        #expect(members["ansible_port"] == 2222)
        #expect(members["ansible_host"] == "wander-1")
        let options = members["ansible_ssh_common_args"]?.stringValue ?? ""
        #expect(options.contains(#"-o 'IdentityFile="/home/a b/it'\''s"'"#))
        #expect(options.contains("-o 'ProxyCommand=/opt/wander net connect'"))
    }

    @Test(
        "names of groups are what Ansible takes",
        arguments: [("role_web", "role_web"), ("a-b.c", "a_b_c"), ("1é", "_1_")])
    func names(text: String, name: String) { #expect(AnsibleInventory.groupName(text) == name) }
}
