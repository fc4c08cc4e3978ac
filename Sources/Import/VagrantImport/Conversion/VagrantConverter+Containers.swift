import RubyReader

/// Containers: the machine installs the engine, and runs what the Vagrantfile names.
extension VagrantConverter {
    func convertContainers(_ step: VagrantStep, _ result: inout WanderfileMachine) {
        let engine = step.type
        var lines = [
            "#!/bin/bash", "set -e", "if ! command -v \(engine) >/dev/null; then",
            "    if command -v apt-get >/dev/null; then",
            "        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "
                + (engine == "docker" ? "docker.io" : "podman"),
            "    else",
            "        dnf install -y \(engine == "docker" ? "moby-engine || dnf install -y docker" : "podman")",
            "    fi", "fi",
        ]
        let images = step.option("images")?.items ?? step.option("images").map { [$0] } ?? []
        for image in images.compactMap(\.text) { lines.append("\(engine) pull \(ShellText.quoted(image))") }
        for call in step.calls {
            guard let line = line(for: call, engine) else {
                remarks.dropped("provision \"\(engine)\" \(call.name)", "it is not taken over", at: call.line)
                continue
            }
            lines.append(line)
        }
        let (script, environment) = VagrantText.script(lines.joined(separator: "\n") + "\n")
        var members: [WanderfileValue.Member] = [.init(name: "run", value: .body(script))]
        if !environment.isEmpty {
            let variables = environment.map { WanderfileValue.Member(name: $0.name, value: .quoted($0.value)) }
            members.append(.init(name: "env", value: .map(variables)))
        }
        addStep(step, members, &result)
        remarks.taken("provision \"\(engine)\"", as: "provision: run", at: step.line)
    }

    private func line(for call: RubyCall, _ engine: String) -> String? {
        let words = call.positional.compactMap(\.text)
        func option(_ name: String) -> String? { call.options?.named(name)?.text }
        switch call.name {
        case "pull_images":
            let images = call.arguments.flatMap { $0.items ?? [$0] }.compactMap(\.text)
            return images.map { "\(engine) pull \(ShellText.quoted($0))" }.joined(separator: "\n")
        case "build_image":
            guard let folder = words.first else { return nil }
            return "\(engine) build \(option("args") ?? "") \(ShellText.quoted(folder))"
        case "run":
            guard let name = words.first else { return nil }
            let image = option("image") ?? name
            let plain = String(name.map { $0 == "/" || $0 == ":" ? "-" : $0 })
            var parts = [engine, "run"]
            if option("daemonize") != "false" { parts.append("-d") }
            if option("auto_assign_name") != "false" { parts += ["--name", ShellText.quoted(plain)] }
            let restart = option("restart") ?? "always"
            if restart != "false", option("daemonize") != "false" {
                parts.append("--restart=\(ShellText.quoted(restart))")
            }
            // What is written there is a part of a command line, as it is here.
            if let args = option("args") { parts.append(args) }
            parts.append(ShellText.quoted(image))
            if let command = option("cmd") { parts.append(command) }
            return "\(engine) rm -f \(ShellText.quoted(plain)) >/dev/null 2>&1 || true\n" + parts.joined(separator: " ")
        default: return nil
        }
    }
}
