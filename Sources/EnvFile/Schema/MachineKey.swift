/// When a changed value of a machine's key takes effect.
public enum TakesEffect: Sendable, Hashable {
    /// With the next command that uses it: nothing of the running machine depends on it.
    case atUse
    /// When the machine starts the next time, as with `wander reload`.
    case atRestart
    /// Only in a machine that is made after that.
    case withNewMachine
}

/// A key of a machine, and when a changed value takes effect. Both are in one place, so neither can be forgotten.
struct MachineKey: Sendable {
    let definition: KeyDefinition
    let takesEffect: TakesEffect

    private init(
        _ takesEffect: TakesEffect, _ name: String, _ type: ValueType, standard: String? = nil, note: String? = nil,
        _ summary: String, details: String? = nil, example: String
    ) {
        definition = KeyDefinition(
            name, type, standard: standard, note: note, summary, details: details, example: example)
        self.takesEffect = takesEffect
    }

    static let conditionDetails =
        "'${CI}' is yes unless it is empty, 0, no, off or false; '==' and '!=' compare. A variable that is not set is "
        + "empty."

    static let all: [MachineKey] = [
        MachineKey(
            .withNewMachine, "box", .object(.box, shorthand: "ref"), "The box that the machine is made from",
            example: "debian/12"),
        MachineKey(
            .atRestart, "hostname", .scalar(.hostname), note: "the machine's name", "The machine's own host name",
            example: "shop.example.test"),
        MachineKey(.atRestart, "cpus", .scalar(.integer(1...255)), standard: "2", "Number of processors", example: "4"),
        MachineKey(
            .atRestart, "memory", .scalar(.size(64 << 20...16 << 40)), standard: "1GiB", "Size of the main memory",
            example: "4GiB"),
        MachineKey(
            .atRestart, "disk", .scalar(.size(64 << 20...64 << 40)), note: "the box's size",
            "Size of the disk", details: "A smaller disk of the box grows to it. wander never shrinks a disk.",
            example: "40GiB"),
        MachineKey(
            .atRestart, "firmware", .scalar(.choice(MachineDefinition.Firmware.self)), standard: "auto",
            "What starts the machine",
            details:
                "With auto, a box that brings a kernel starts in it, and another box by the boot loader on its disk: "
                + "BIOS, or UEFI where the disk has nothing for BIOS. bios and uefi always run the disk's boot loader.",
            example: "uefi"),
        MachineKey(
            .withNewMachine, "user", .scalar(.userName), note: "the box's user", "The user that wander logs in as",
            example: "dev"),
        MachineKey(
            .withNewMachine, "cloud_init", .object(.cloudInit, shorthand: "source"), note: "none",
            "User-data for the box's cloud-init",
            details:
                "cloud-init does it once, when the machine is new. 'wander up' waits for it and shows its errors. A "
                + "value of several lines is 'content'.",
            example: "user-data.yaml"),
        MachineKey(.atRestart, "ssh", .object(.ssh), "Settings of SSH", example: "{ port: 2222, forward_agent: true }"),
        MachineKey(
            .atRestart, "ports", .list(.either(.port, .port), identity: .port),
            "Ports of the host that lead into the machine",
            details: "Forms: 'host:guest', 'address:host:guest', 'host:guest/udp', '8000-8010:8000-8010', and 'guest' "
                + "alone for any free port of the host. The host listens on 127.0.0.1 unless an address is given.",
            example: "[\"8080:80\"]"),
        MachineKey(
            .atRestart, "host_ports", .list(.scalar(.hostPorts), limit: 64), note: "none",
            "Ports of the host's loopback interface that the machine reaches, at 'host.internal'",
            details:
                "A number alone is a port of TCP, '53/udp' one of UDP, and 'all' means every port. A connection to "
                + "any other port is refused at once, as are all of them in a network with 'internet: false'.",
            example: "[5432, 8000-8010, 53/udp]"),
        MachineKey(
            .atRestart, "shares", .list(.either(.share, .share), identity: .share, limit: 16),
            "Folders of the host that are in the machine too, live and in both directions",
            details: "Forms: 'host:guest', and 'host:guest:ro' for a folder that the machine can only read. The login "
                + "user owns the files, and the folders are mounted before the steps run. The machine never sees what "
                + "is called '.wander'.",
            example: "[\".:/project\"]"),
        MachineKey(
            .atRestart, "networks", .list(.object(.attachment, shorthand: "name"), identity: .network, limit: 16),
            note: "the environment's network", "The machine's place in the environment's network",
            example: "[{ name: lab, ip: 10.77.0.10 }]"),
        MachineKey(
            .atUse, "env", .map(.variables, .scalar(.paragraph)),
            "Environment variables of provisioning steps, probes and 'wander ssh -c'", example: "{ CI: \"true\" }"),
        MachineKey(
            .atUse, "proxy", .object(.proxy, shorthand: "url"), note: "none",
            "The web proxies by which the machine reaches the world",
            details: "Steps, probes and 'wander ssh -c' have them in their environment; login shells, sudo, apt and "
                + "Docker are told of them. 'host' means this host's own. A changed proxy runs no step again, and no "
                + "box has it.",
            example: "http://proxy.example.test:3128"),
        MachineKey(
            .atUse, "ca_certificates", .list(.scalar(.hostPath), limit: 64), note: "none",
            "Certificates of authorities that the machine trusts, beside its system's own",
            details: "Files in PEM, each with one certificate or more. They go into the system's store, which curl, "
                + "apt, git, Docker and most others use. No box has them.",
            example: "[certificates/company.pem]"),
        MachineKey(
            .atUse, "secrets", .map(.variables, .object(.secret)), note: "none",
            "Values for steps that are written down nowhere",
            details: "They are read when a step that names them runs, are masked in all output, and are in no record, "
                + "log or box.",
            example: "{ API_TOKEN: { env: API_TOKEN } }"),
        MachineKey(
            .atUse, "files", .list(.object(.file), identity: .key("path")),
            "Files to put into the machine before the steps",
            example: "[{ path: /etc/motd, content: Welcome }]"),
        MachineKey(
            .atUse, "provision", .list(.object(.provisioner), identity: .key("name")), "Steps that set the machine up",
            details: "They run in this order, until one fails.",
            example: "[{ name: tools, run: apt-get install -y git }]"),
        MachineKey(
            .atUse, "hooks", .hooks, note: "none", "What runs before and after commands for the machine",
            details: "Events are those of the project's 'hooks'. They run while the command holds the machine.",
            example: "{ before_halt: [{ run: ./save.sh, in: guest }] }"),
        MachineKey(
            .atUse, "ready", .list(.object(.probe), identity: .key("name")),
            "Questions that decide whether the machine is ready",
            details: "'wander up' is done when all of them have succeeded.", example: "[{ tcp: 5432 }]"),
        MachineKey(
            .atUse, "depends_on", .map(.names, .object(.dependency, shorthand: "condition"), listForm: true),
            "Machines that come first; 'up' starts them, too", example: "[db]"),
        MachineKey(
            .atUse, "autostart", .scalar(.flag), standard: "true",
            "Whether 'wander up' without names starts the machine",
            example: "false"),
        MachineKey(
            .atUse, "primary", .scalar(.flag), standard: "false", note: "the first machine",
            "Whether commands for one machine take this one", example: "true"),
        MachineKey(
            .atUse, "count", .scalar(.integer(1...64)), note: "one machine with the plain name",
            "Makes this many machines, called NAME-1, NAME-2 and so on", example: "2"),
        MachineKey(
            .atUse, "for_each", .rows, note: "one machine with the plain name",
            "Makes a machine for each row of a table, called NAME-ROW",
            details:
                "The machine's values use its row: '${each.key}' is the row's name, '${each.ip}' its column 'ip', and "
                + "'${each.value}' the value of a row without columns. A list of names and a range such as 1-3 or "
                + "01-12 are tables without columns.",
            example: "{ a: { ip: 10.77.0.11 }, b: { ip: 10.77.0.12 } }"),
        MachineKey(
            .atUse, "names", .scalar(.name), note: "NAME-1 with 'count', NAME-ROW with 'for_each'",
            "How the machines of 'count' or 'for_each' are called", example: "\"node${each.key}\""),
        MachineKey(
            .atUse, "if", .scalar(.condition), note: "it is always there", "Whether there is such a machine",
            details: conditionDetails + " What depends on a machine that is left out does not wait for it.",
            example: "\"${CI} == true\""),
        MachineKey(.atUse, "stop", .object(.stop), "How the machine is stopped", example: "{ timeout: 30s }"),
        MachineKey(
            .atUse, "boot_timeout", .scalar(.duration(.seconds(1) ... .seconds(86_400))), standard: "5m",
            "How long the machine may take until SSH answers",
            details:
                "Emulation has three times as long. A guest whose console or SSH port shows progress has twice that.",
            example: "10m"),
        MachineKey(
            .atUse, "message", .scalar(.paragraph), "Text to show after 'wander up'", example: "http://localhost:8080"),
        MachineKey(
            .atUse, "labels", .map(.labels, .scalar(.text)),
            "Notes for other programs, shown by 'wander status --json'",
            example: "{ team: shop }"),
        MachineKey(
            .atRestart, "provider", .object(.provider, shorthand: "type"), "What runs the machine",
            example: "{ type: emulation, emulation: { cpu: max } }"),
    ]

    private static let effects = Dictionary(
        all.map { ($0.definition.name, $0.takesEffect) }, uniquingKeysWith: { first, _ in first })

    /// nil for what is no key of a machine.
    static func effect(of name: String) -> TakesEffect? { effects[name] }
}

extension MachineDefinition {
    /// When a changed value of a machine's key takes effect; nil for a name that no machine's key has.
    public static func takesEffect(_ key: String) -> TakesEffect? { MachineKey.effect(of: key) }
}
