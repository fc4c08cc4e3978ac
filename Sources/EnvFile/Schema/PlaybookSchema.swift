/// The keys of playbooks.
extension ObjectType {
    static let playbook = ObjectType(
        "'ansible' of a step",
        keys: [
            KeyDefinition("playbook", .scalar(.hostPath), "The playbook, a file of the host", example: "site.yml"),
            KeyDefinition(
                "run_in", .scalar(.choice(PlaybookDefinition.Place.self)), standard: "host",
                "Whose Ansible runs it: the host's over SSH, or the machine's own",
                details: "In the guest it is installed where it is missing.", example: "guest"),
            KeyDefinition(
                "limit", .scalar(.text), note: "the machine, or those that it is for",
                "A pattern of Ansible's", example: "\"web-*\""),
            KeyDefinition("tags", .list(.scalar(.text)), note: "all", "Only tasks with one of them", example: "[app]"),
            KeyDefinition(
                "skip_tags", .list(.scalar(.text)), note: "none", "Without tasks that have one of them",
                example: "[slow]"),
            KeyDefinition(
                "extra_vars", .map(.variables, .free), note: "none", "Variables that win over all others",
                details: "They go by a file that only the user can read.", example: "{ version: \"15\" }"),
            KeyDefinition(
                "become", .scalar(.flag), standard: "true", "Whether tasks run as root unless they say otherwise",
                example: "false"),
            KeyDefinition(
                "config", .scalar(.hostPath), note: "'ansible.cfg' of the project, or beside the playbook",
                "Ansible's configuration", example: "ansible.cfg"),
            KeyDefinition(
                "galaxy", .scalar(.hostPath), note: "none", "Roles and collections to install first",
                example: "requirements.yml"),
            KeyDefinition(
                "vault_password_file", .scalar(.hostPath), note: "none", "A file with the password of a vault",
                example: "~/.vault"),
            KeyDefinition(
                "inputs", .list(.scalar(.hostPath), limit: 100), note: "none",
                "Files and folders that it uses, besides those beside it",
                details:
                    "A change in one runs the step again, and they go along into a guest. A playbook in a folder of "
                    + "its own has that whole folder; one beside the Wanderfile the folders that Ansible knows, such as "
                    + "'roles' and 'group_vars'.", example: "[../shared]"),
        ], required: ["playbook"],
        foreign: ForeignKey.table([
            (["inventory_path", "inventory"], .words("Groups and variables are in 'ansible' at the top of the file.")),
            (["groups", "host_vars"], .words("It is in 'ansible' at the top of the file.")),
            (["raw_arguments", "verbose"], .words("Write 'args: [-v]' in the step.")),
            (["galaxy_role_file", "requirements"], .key("galaxy")), (["config_file"], .key("config")),
            (["sudo"], .key("become")), (["vars"], .key("extra_vars")),
            (["version", "install", "compatibility_mode"], .words("Remove it: the machine's distribution has one.")),
        ]))

    static let projectPlaybook = ObjectType(
        "a playbook of 'ansible'",
        keys: [
            KeyDefinition("name", .scalar(.text), note: "playbook-N", "A name for messages", example: "site"),
            KeyDefinition(
                "ansible", .object(.playbook, shorthand: "playbook"), "The playbook, and how it is run",
                example: "site.yml"),
            KeyDefinition(
                "machines", .list(.scalar(.text)), note: "all", "Machines that it is for, by name or pattern",
                details: "It waits until all of them run.", example: "[db, \"web-*\"]"),
            KeyDefinition(
                "args", .list(.scalar(.paragraph)), note: "none", "More words for ansible-playbook",
                example: "[--diff]"),
            KeyDefinition(
                "env", .map(.variables, .scalar(.paragraph)), note: "none", "Environment variables of Ansible",
                example: "{ ANSIBLE_FORKS: \"10\" }"),
        ] + provisioner.keys.filter { ["when", "timeout", "sensitive"].contains($0.name) },
        required: ["ansible"], foreign: ForeignKey.table([(["playbook"], .key("ansible"))]))
}
