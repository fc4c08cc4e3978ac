/// The keys at the top of a Wanderfile.
extension ObjectType {
    private static let includedFile = ValueType.either(.includedFile, .include)

    static let include = ObjectType(
        "an included file",
        keys: [
            KeyDefinition("file", .scalar(.includedFile), "A path or a URL", example: "https://example.com/base.yaml"),
            KeyDefinition(
                "digest", .scalar(.digest), note: "the file may change", "SHA-256 of the file",
                example: "sha256:ff0d21d0d428d6eca3d327d54a46bdac38aa2d046fd07037382fbbf2b6d2df7c"),
        ], required: ["file"], foreign: ForeignKey.include)

    private static let projectKeys: [KeyDefinition] = [
        KeyDefinition(
            "wander", .scalar(.versions), note: "any", "Versions of wander that understand this file",
            example: "\">= 0.1\""),
        KeyDefinition(
            "name", .scalar(.name), note: "the folder's name", "The environment's name",
            details: "It is part of the machines' DNS names.", example: "shop"),
        KeyDefinition(
            "include", .forms(includedFile, list: .list(includedFile, limit: 32)), note: "none",
            "Other files of this form, whose values are below this file's",
            details:
                "A path is relative to the file that has it. A later file is above an earlier one. A file from a URL "
                + "needs a 'digest'.", example: "[common.yaml]"),
        KeyDefinition(
            "vars", .map(.variables, .object(.variable, shorthand: "default")),
            "Defaults for '${NAME}' in this file; the environment and 'env_files' override them",
            details: "'WEB_PORT=9090 wander up' uses another value once.", example: "{ WEB_PORT: 8080 }"),
        KeyDefinition(
            "env_files", .list(.scalar(.hostPath), limit: 32), note: "'.env', if there is one",
            "Files of NAME=value lines for '${NAME}'", example: "[.env, .env.local]"),
        KeyDefinition(
            "networks",
            .forms(.map(.names, .object(.network)), list: .list(.object(.attachment, shorthand: "name"), limit: 16)),
            note: "one network with the way out", "The network that the machines share",
            details: "An environment has one network; without this key it is called 'nat'. Where the top of the file "
                + "describes a single machine, a list is that machine's own 'networks'.",
            example: "{ lab: { subnet: 10.77.0.0/24 } }"),
        KeyDefinition(
            "defaults", .object(.machine), "What holds for every machine",
            details: "It takes the keys of a machine.", example: "{ cpus: 2 }"),
        KeyDefinition(
            "machines", .map(.names, .object(.machine)), "The machines; without it, the top of the file describes one",
            example: "{ web: { cpus: 2 } }"),
    ]

    /// Keys of a machine that may stand at the top of a file that describes a single one.
    static let singleFormKeys = machine.keys.filter { !["networks", "hooks"].contains($0.name) }

    static let project = ObjectType(
        "a Wanderfile", keys: projectKeys + workKeys + singleFormKeys,
        later: machine.later, foreign: ForeignKey.project,
        hasExtensions: true)

    /// The user's own configuration, below every Wanderfile.
    static let userConfiguration = ObjectType(
        "the user configuration", keys: projectKeys.filter { $0.name == "defaults" }, hasExtensions: true)

    static let variable = ObjectType(
        "a variable",
        keys: [
            KeyDefinition(
                "default", .scalar(.paragraph), note: "none: it must be set from outside", "Its value", example: "8080"),
            KeyDefinition("description", .scalar(.text), note: "none", "What it is for", example: "Port of the site"),
        ], later: ["required", "pattern"])

    static let network = ObjectType(
        "a network",
        keys: [
            KeyDefinition(
                "subnet", .scalar(.subnet), note: "chosen by wander", "Its addresses",
                details: "The prefix is from /16 to /29. The first address is the router's.", example: "10.77.0.0/24"),
            KeyDefinition(
                "internet", .scalar(.flag), standard: "true", "Whether machines reach the world outside",
                details: "With 'false' they do not reach the host's ports either.", example: "false"),
        ], later: ["domain", "ipv6", "mtu"], foreign: ForeignKey.network)
}
