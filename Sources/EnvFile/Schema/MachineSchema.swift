import NetworkAddress

/// The keys of a machine.
extension ObjectType {
    static let machine = ObjectType(
        "a machine",
        keys: MachineKey.all.map(\.definition),
        later: [
            "arch", "kernel", "auto_forward", "dns_aliases", "env_pass", "expose_secrets",
            "packages",
            "limits", "nested", "gpu", "time", "snapshots", "idle",
        ],
        foreign: ForeignKey.machine,
        hasExtensions: true)

    static let box = ObjectType(
        "'box'",
        keys: [
            KeyDefinition("ref", .scalar(.box), "Name, path or URL of the box", example: "debian/12"),
            KeyDefinition(
                "version", .scalar(.versions), note: "any", "Versions that are good enough",
                example: "\">= 12.5, < 13\""),
            KeyDefinition(
                "digest", .scalar(.digest), note: "the one in the lock file", "SHA-256 of the box file",
                example: "sha256:ff0d21d0d428d6eca3d327d54a46bdac38aa2d046fd07037382fbbf2b6d2df7c"),
        ], required: ["ref"], later: ["pull", "verify"], foreign: ForeignKey.box)

    static let cloudInit = ObjectType(
        "'cloud_init'",
        keys: [
            KeyDefinition(
                "source", .scalar(.hostPath), "A file of the host, handed over as it is", example: "user-data.yaml"),
            KeyDefinition(
                "content", .scalar(.content), "The text; nothing is filled in",
                details:
                    "Its first line says what it is: '#cloud-config', or '#!' for a script. It may be a MIME message "
                    + "of several parts.",
                example: "\"#include https://example.com/user-data\""),
        ], exactlyOne: ["source", "content"], later: ["network_config"], linesKey: "content")

    static let ssh = ObjectType(
        "'ssh'",
        keys: [
            KeyDefinition(
                "port", .scalar(.portNumber), note: "none", "A TCP port of 127.0.0.1 that leads to the SSH server",
                details: "'wander ssh' needs none.", example: "2222"),
            KeyDefinition(
                "forward_agent", .scalar(.flag), standard: "false",
                "Whether the host's SSH agent is reachable in the machine",
                example: "true"),
        ], later: ["forward_x11", "authorized_keys"], foreign: ForeignKey.ssh)

    static let port = ObjectType(
        "a port",
        keys: [
            KeyDefinition("guest", .scalar(.portNumber), "Port of the machine", example: "80"),
            KeyDefinition("host", .scalar(.portNumber), note: "any free port", "Port of the host", example: "8080"),
            KeyDefinition(
                "proto", .scalar(.choice(Transport.self)), standard: "tcp", "Protocol",
                example: "udp"),
            KeyDefinition(
                "bind", .scalar(.address), standard: "127.0.0.1", "Address of the host that listens", example: "0.0.0.0"
            ),
            KeyDefinition("name", .scalar(.name), note: "none", "A name for 'wander port'", example: "site"),
            KeyDefinition(
                "on_conflict", .scalar(.choice(PortDefinition.Conflict.self)), standard: "fail",
                "What to do when the host's port is taken: fail, or take the next free one", example: "next"),
        ], required: ["guest"], later: ["socket"], foreign: ForeignKey.port)

    static let share = ObjectType(
        "a share",
        keys: [
            KeyDefinition(
                "host", .scalar(.hostPath), "The folder of the host; relative to the file that names it", example: "src"
            ),
            KeyDefinition("guest", .scalar(.sharePath), "Where it is in the machine", example: "/srv/app"),
            KeyDefinition(
                "mode", .scalar(.choice(SharedFolder.Mode.self, others: ["readonly": "ro", "read-only": "ro"])),
                standard: "rw",
                "Whether the machine may write (rw) or only read (ro)", example: "ro"),
            KeyDefinition(
                "create", .scalar(.flag), standard: "false",
                "Whether wander makes a folder that the host lacks",
                details: "Otherwise 'wander up' reports that it is missing.", example: "true"),
        ], required: ["host", "guest"], later: ["watch", "cache"], foreign: ForeignKey.share)

    static let attachment = ObjectType(
        "a network of a machine",
        keys: [
            KeyDefinition(
                "name", .scalar(.name), note: "the environment's network", "The network", example: "lab"),
            KeyDefinition(
                "ip", .forms(.scalar(.address), list: .list(.scalar(.address), limit: 256)),
                note: "one that stays the same", "Fixed address",
                details: "A network without a 'subnet' of its own gets the /24 around it. With 'count' or 'for_each', "
                    + "one address is that of the first machine, and the others get the next ones; an address with "
                    + "'${machine.index}' or '${each.ip}' in it is each machine's own, and a list has one for each.",
                example: "10.77.0.10"),
        ], later: ["mac", "default_route", "allow", "deny"], foreign: ForeignKey.attachment)

    static let file = ObjectType(
        "a file",
        keys: [
            KeyDefinition(
                "path", .scalar(.guestFile), "Where the file goes", details: "'~/' is the login user's home.",
                example: "/etc/motd"),
            KeyDefinition(
                "content", .scalar(.content), "The text of the file; nothing is filled in", example: "Welcome"),
            KeyDefinition(
                "source", .scalar(.hostPath), "A file or a folder of the host, whose files keep their own permissions",
                example: "files/motd"),
            KeyDefinition("mode", .scalar(.mode), standard: "0644", "Permissions", example: "\"0600\""),
            KeyDefinition(
                "owner", .scalar(.owner), note: "root:root, and the login user where the path begins with '~/'",
                "User and group", example: "dev:dev"),
        ], required: ["path"], exactlyOne: ["content", "source"], later: ["when"])

    static let provisioner = ObjectType(
        "a provisioning step",
        keys: [
            KeyDefinition(
                "name", .scalar(.text), note: "step-N", "A name for messages and '--provision-with'", example: "tools"),
            KeyDefinition(
                "run", .scalar(.body), "A shell script; nothing is filled in, values come from 'env'",
                details: "A first line with '#!' names another interpreter.",
                example: "apt-get install -y git"),
            KeyDefinition("script", .scalar(.hostPath), "A script of the host", example: "scripts/setup.sh"),
            KeyDefinition(
                "ansible", .object(.playbook, shorthand: "playbook"), "A playbook of Ansible's",
                details: "'args' are more words for ansible-playbook then, and 'env' is its environment.",
                example: "site.yml"),
            KeyDefinition(
                "file", .object(.file), "A file or a folder to put into the machine, after the steps before it",
                example: "{ path: ~/.vimrc, source: vimrc }"),
            KeyDefinition(
                "args", .list(.scalar(.paragraph)), note: "none", "Arguments of the script", example: "[--fast]"),
            KeyDefinition(
                "env", .map(.variables, .scalar(.paragraph)), note: "the machine's",
                "Environment variables of this step",
                example: "{ VERSION: \"15\" }"),
            KeyDefinition(
                "as", .scalar(.choice(ProvisionerDefinition.User.self, others: ["vagrant": "user", "login": "user"])),
                standard: "root",
                "Who runs it: root, or the login user",
                example: "user"),
            KeyDefinition(
                "when",
                .scalar(
                    .choice(
                        ProvisionerDefinition.When.self, others: ["never": "manual", "boot": "always"],
                        hint: { $0.contains("==") || $0.contains("!=") ? "A condition is the step's 'if'." : nil })),
                standard: "changed",
                "When it runs",
                details:
                    "'changed': until it has succeeded, and again when its definition changes. "
                    + "'once': until it has succeeded. 'always': at every start. "
                    + "'manual': only with 'wander provision --provision-with NAME'.",
                example: "always"),
            KeyDefinition(
                "if", .scalar(.condition), note: "it always is", "Whether the step is one of the machine's",
                details: MachineKey.conditionDetails + " When it runs is 'when'.", example: "\"${CI} == true\""),
            KeyDefinition(
                "timeout", .scalar(.duration(.seconds(1) ... .seconds(7 * 86_400), never: true)), standard: "30m",
                "How long it may run", details: "'never' means without a limit.", example: "5m"),
            KeyDefinition(
                "sensitive", .scalar(.flag), standard: "false",
                "Whether its text and output stay out of logs and messages",
                example: "true"),
            KeyDefinition(
                "reboot", .scalar(.flag), standard: "false",
                "Whether it may restart the machine",
                details: "The next step waits until the machine is back. A step with this key alone restarts the "
                    + "machine.",
                example: "true"),
            KeyDefinition(
                "tty", .scalar(.flag), standard: "false",
                "Whether it has a terminal of 80 by 24 characters",
                details: "Nobody types there. What the step leaves in the background ends with it.", example: "true"),
            KeyDefinition(
                "secrets", .list(.scalar(.variableName), limit: 64), note: "none",
                "The machine's secrets that it has as environment variables",
                details: "Another value of a secret does not run the step again.", example: "[API_TOKEN]"),
        ], exactlyOne: ["run", "script", "ansible", "file"], alone: "reboot",
        later: ["inputs", "creates", "retries", "needs"], foreign: ForeignKey.step,
        // In Vagrant, 'run' says when.
        foreignValues: [
            "run": (
                message: "'run' is the script of the step, not when it runs",
                hints: [
                    "always": "Write 'when: always'.", "never": "Write 'when: manual'.", "once": "Write 'when: once'.",
                ]
            )
        ], likelyKey: "run")

    static let probe = ObjectType(
        "a probe",
        keys: [
            KeyDefinition("name", .scalar(.text), note: "what it asks", "A name for messages", example: "database"),
            KeyDefinition(
                "tcp", .scalar(.portNumber), "A port of the machine that must accept connections", example: "5432"),
            KeyDefinition(
                "run", .scalar(.body), "A command in the machine that must succeed",
                example: "systemctl is-active nginx"),
            KeyDefinition(
                "http", .scalar(.httpURL), "A URL that must answer with 200 to 399, asked from inside the machine",
                example: "http://localhost/health"),
            KeyDefinition(
                "file", .scalar(.guestPath), "A path of the machine that must exist", example: "/run/app.ready"),
            KeyDefinition(
                "timeout", .scalar(.duration(.milliseconds(100) ... .seconds(86_400))), standard: "2m",
                "How long to ask", example: "5m"),
            KeyDefinition(
                "interval", .scalar(.duration(.milliseconds(50) ... .seconds(3600))), standard: "1s",
                "How long to wait between two questions", example: "5s"),
            KeyDefinition(
                "hint", .scalar(.text), note: "none", "What to show when it fails", example: "journalctl -u postgresql"),
        ], exactlyOne: ["tcp", "run", "http", "file"], later: ["unit", "insecure"], foreign: ForeignKey.probe,
        likelyKey: "run")

    static let dependency = ObjectType(
        "a dependency",
        keys: [
            KeyDefinition(
                "condition",
                .scalar(
                    .choice(
                        MachineDefinition.Dependency.Condition.self,
                        others: ["service_healthy": "ready", "service_started": "started", "healthy": "ready"])),
                standard: "ready",
                "How far the other machine must be", example: "started")
        ])

    static let stop = ObjectType(
        "'stop'",
        keys: [
            KeyDefinition(
                "timeout", .scalar(.duration(.seconds(1) ... .seconds(3600))), standard: "1m",
                "How long a graceful stop may take before the power is cut", example: "30s")
        ])

    static let provider = ObjectType(
        "'provider'",
        keys: [
            KeyDefinition(
                "type",
                .scalar(
                    .choice(
                        MachineDefinition.Provider.Kind.self, others: ["qemu": "emulation"],
                        words: Dictionary(
                            ForeignKey.hypervisors.map { ($0, ForeignKey.ownHypervisor) },
                            uniquingKeysWith: { $1 }))), standard: "auto",
                "KVM, emulation, or whichever works", example: "emulation"),
            KeyDefinition(
                "emulation", .object(.emulation), "Settings of the emulation provider", example: "{ cpu: qemu64 }"),
        ], later: ["kvm"], foreign: ForeignKey.provider)

    static let emulation = ObjectType(
        "'emulation'",
        keys: [
            KeyDefinition(
                "cpu",
                .scalar(
                    .matching("a processor name of QEMU", "[A-Za-z0-9][A-Za-z0-9_.,+=-]*") { text in
                        guard let first = text.utf8.first, isAlphanumericByte(first), text.utf8.count <= 256 else {
                            return false
                        }
                        return text.utf8.allSatisfy { isAlphanumericByte($0) || "_.+-".utf8.contains($0) }
                    }), standard: "max", "The processor that QEMU emulates", example: "qemu64"),
            KeyDefinition(
                "cache", .scalar(.size(32 << 20...4 << 30)), standard: "256MiB", "QEMU's memory for translated code",
                example: "512MiB"),
        ])
}

private func isAlphanumericByte(_ byte: UInt8) -> Bool { ScalarType.isAlphanumeric(byte) }
