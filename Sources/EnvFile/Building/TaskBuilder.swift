import YAML

/// Makes tasks from their values.
struct TaskBuilder {
    let context: BuildContext
    let machines: [MachineDefinition]

    func tasks(_ record: Record) -> [TaskDefinition] {
        record.map("tasks").compactMap { entry in
            guard let task = entry.value.record, let script = script(task) else { return nil }
            let place: HookDefinition.Place = task.choice("in") ?? .guest
            if place == .host {
                for key in ["machine", "as"] {
                    guard let value = task[key], value.mark != .builtIn else { continue }
                    context.problems.report(
                        "a task of the host takes no '\(key)'", hint: "Remove it, or 'in: host'.", at: value.mark)
                }
            }
            if let value = task["machine"], let name = value.text, !machines.contains(where: { $0.name == name }) {
                context.problems.report(
                    "there is no machine '\(name.prefix(64))'",
                    hint: Suggestion.didYouMean(name, in: machines.map(\.name)), at: value.mark)
            }
            return TaskDefinition(
                name: entry.name, script: script, summary: task.text("description"), place: place,
                machine: task.text("machine"), user: task.choice("as") ?? .login, folder: task.text("dir"),
                environment: task.texts("env"))
        }
    }

    private func script(_ task: Record) -> TaskDefinition.Script? {
        if let value = task["script"], let path = value.text { return .file(context.hostPath(path, at: value.mark)) }
        return task.text("run").map { .inline($0) }
    }
}

extension ObjectType {
    static let task = ObjectType(
        "a task",
        keys: [
            KeyDefinition(
                "run", .scalar(.body), "A shell script; what is typed after its name is \"$@\"",
                example: "make -C /project \"$@\""),
            KeyDefinition("script", .scalar(.hostPath), "A script of the host", example: "scripts/test.sh"),
            KeyDefinition(
                "description", .scalar(.text), note: "none", "What 'wander run' says of it", example: "Run the tests"),
            KeyDefinition(
                "in", .scalar(.choice(HookDefinition.Place.self)), standard: "guest",
                "Where it runs: in the machine, or on the host", example: "host"),
            KeyDefinition(
                "machine", .scalar(.name), note: "the primary one", "The machine that it runs in", example: "web"),
            KeyDefinition(
                "as", .scalar(.choice(ProvisionerDefinition.User.self, others: ["vagrant": "user", "login": "user"])),
                standard: "user", "Who runs it in a machine: the login user, or root", example: "root"),
            KeyDefinition(
                "dir", .scalar(.text), note: "the user's home, or the project's folder on the host",
                "The folder that it starts in", example: "/project"),
            KeyDefinition(
                "env", .map(.variables, .scalar(.paragraph)), note: "the machine's", "Environment variables",
                details: "Beside WANDER_TASK, WANDER_ENVIRONMENT and, in a machine, WANDER_MACHINE.",
                example: "{ RACK_ENV: test }"),
        ], exactlyOne: ["run", "script"],
        foreign: ForeignKey.table([
            (["command", "commands", "cmd", "cmds", "exec", "shell", "inline"], .key("run")),
            (["desc", "help", "summary"], .key("description")),
            (["workdir", "cwd", "chdir"], .key("dir")), (["environment"], .key("env")),
            (["deps", "depends_on"], .words("Write 'wander run OTHER' in 'run' of a task with 'in: host'.")),
        ]), likelyKey: "run")
}
