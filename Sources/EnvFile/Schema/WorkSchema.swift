/// The keys at the top of a Wanderfile that are about work for several machines, or beside them.
extension ObjectType {
    static let workKeys: [KeyDefinition] = [
        KeyDefinition(
            "ansible", .object(.ansible), "What Ansible is told of the machines",
            details: "'wander inventory' prints it.", example: "{ groups: { web: [\"web-*\"] } }"),
        KeyDefinition(
            "hooks", .hooks, note: "none", "What runs on this host before and after commands, once a command",
            details:
                "A machine has hooks of its own. Events: before_ and after_ with up, halt, reload, destroy, provision, "
                + "suspend and resume.", example: "{ after_up: [./scripts/notify.sh] }"),
        KeyDefinition(
            "tasks", .map(.names, .object(.task, shorthand: "run")), note: "none", "Commands that people call by name",
            details: "'wander run' lists them, 'wander run NAME' runs one.",
            example: "{ test: make -C /project test }"),
    ]

    /// A Wanderfile, as far as they go.
    static let work = ObjectType("a Wanderfile", keys: workKeys)

    static let ansible = ObjectType(
        "'ansible'",
        keys: [
            KeyDefinition(
                "groups", .map(.variables, .object(.ansibleGroup, shorthand: "machines")),
                note: "those of 'count' and 'labels'", "Groups of the inventory",
                details: "A machine's labels are groups too: 'role: web' is 'role_web'. Machines of one 'count' are a "
                    + "group of that name.", example: "{ web: [\"web-*\"], lab: { children: [web] } }"),
            KeyDefinition(
                "vars", .map(.variables, .free), note: "none", "Variables of every machine",
                example: "{ ntp_servers: [ntp.example.test] }"),
            KeyDefinition(
                "host_vars", .map(.names, .map(.variables, .free)), note: "none", "Variables of single machines",
                details: "A name that 'count' multiplies stands for each of its machines.",
                example: "{ db: { db_port: 5432 } }"),
            KeyDefinition(
                "playbooks", .list(.object(.projectPlaybook, shorthand: "ansible"), identity: .key("name")),
                note: "none", "Playbooks that run once when their machines are ready",
                details: "They run in this order at the end of 'wander up', until one fails, and again when anything "
                    + "that they consist of changes.", example: "[{ name: site, ansible: site.yml }]"),
        ], foreign: ForeignKey.table([(["extra_vars", "variables"], .key("vars"))]))

    static let ansibleGroup = ObjectType(
        "a group of 'ansible'",
        keys: [
            KeyDefinition(
                "machines", .list(.scalar(.text)), note: "none", "Machines in it, by name or pattern",
                example: "[\"web-*\"]"),
            KeyDefinition("children", .list(.scalar(.text)), note: "none", "Groups in it", example: "[web]"),
            KeyDefinition(
                "vars", .map(.variables, .free), note: "none", "Variables of its machines",
                example: "{ http_port: 8080 }"),
        ], foreign: ForeignKey.table([(["hosts"], .key("machines"))]))
}
