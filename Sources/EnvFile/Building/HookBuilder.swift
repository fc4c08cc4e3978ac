import YAML

/// Makes hooks from their values.
struct HookBuilder {
    let context: BuildContext

    /// - Parameter isOfMachine: Whether they are a machine's, and not the project's.
    func hooks(_ record: Record, isOfMachine: Bool) -> [HookDefinition] {
        record.map("hooks").flatMap { entry -> [HookDefinition] in
            guard let event = HookDefinition.events.first(where: { $0.name == entry.name }) else { return [] }
            return (entry.value.list ?? []).enumerated().compactMap { index, value in
                guard let hook = value.record, let script = hook.text("run") else { return nil }
                let definition = HookDefinition(
                    side: event.side, verb: event.verb, name: hook.text("name") ?? "\(event.name)-\(index + 1)",
                    script: script, place: hook.choice("in") ?? .host, user: hook.choice("as") ?? .root,
                    environment: hook.texts("env"), timeout: hook.duration("timeout"),
                    onError: hook.choice("on_error") ?? .fail)
                if definition.place == .guest { check(definition, isOfMachine, at: hook["in"]?.mark ?? value.mark) }
                return definition
            }
        }
    }

    private func check(_ hook: HookDefinition, _ isOfMachine: Bool, at mark: Mark) {
        if !isOfMachine {
            context.problems.report(
                "a hook of the project runs on the host", hint: "Put it into 'hooks' of a machine to run it there.",
                at: mark)
        } else if ![.provision, .reload].contains(hook.verb),
            hook.side == ([.up, .resume].contains(hook.verb) ? .before : .after)
        {
            context.problems.report(
                "no guest runs at '\(hook.event)'", hint: "Remove 'in: guest', or choose another event.", at: mark)
        }
    }
}

extension MapNames {
    /// Events of hooks.
    static let events = MapNames(
        expected: "before_ or after_ with \(HookDefinition.Verb.allCases.map(\.rawValue).joined(separator: ", "))",
        pattern: "^(before|after)_(\(HookDefinition.Verb.allCases.map(\.rawValue).joined(separator: "|")))$"
    ) { name in HookDefinition.events.contains { $0.name == name } }
}

extension ValueType {
    static let hooks = ValueType.map(.events, .list(.object(.hook, shorthand: "run")))
}

extension ObjectType {
    static let hook = ObjectType(
        "a hook",
        keys: [
            KeyDefinition(
                "run", .scalar(.body), "A shell script; nothing is filled in, values come from 'env'",
                example: "./scripts/notify.sh"),
            KeyDefinition("name", .scalar(.text), note: "EVENT-N", "A name for messages", example: "notify"),
            KeyDefinition(
                "in", .scalar(.choice(HookDefinition.Place.self)), standard: "host",
                "Where it runs: on the host, as you and in the project's folder, or in the machine", example: "guest"),
            KeyDefinition(
                "as", .scalar(.choice(ProvisionerDefinition.User.self)), standard: "root",
                "Who runs it in a machine: root, or the login user", example: "user"),
            KeyDefinition(
                "env", .map(.variables, .scalar(.paragraph)), note: "none", "Environment variables",
                details:
                    "Beside WANDER_EVENT, WANDER_ENVIRONMENT, WANDER_PROJECT and, for a machine's, WANDER_MACHINE.",
                example: "{ CHANNEL: dev }"),
            KeyDefinition(
                "timeout", .scalar(.duration(.seconds(1) ... .seconds(86_400), never: true)), standard: "5m",
                "How long it may run", details: "'never' means without a limit.", example: "30s"),
            KeyDefinition(
                "on_error",
                .scalar(
                    .choice(
                        HookDefinition.Failure.self, others: ["halt": "fail", "continue": "warn", "ignore": "warn"])),
                standard: "fail", "What its failure means",
                details:
                    "With 'fail', a before_ hook stops the command before it does anything, with exit status 10, and "
                    + "an after_ hook makes it end with 13: its work is done.", example: "warn"),
        ], required: ["run"],
        foreign: ForeignKey.table([
            (["inline", "path", "command", "script"], .key("run")), (["run_remote"], .words("Write 'in: guest'.")),
            (["info", "warn"], .words("Write 'run: echo ...'.")),
        ]), likelyKey: "run")
}
