public import EnvFile
import LinuxSystem
public import SSH
public import SystemPackage

/// A task as it is run: a script with its arguments, and its environment.
public struct TaskJob {
    let project: Project
    let task: TaskDefinition
    let arguments: [String]

    public init(_ project: Project, _ task: TaskDefinition, _ arguments: [String]) {
        self.project = project
        self.task = task
        self.arguments = arguments
    }

    /// For the machine that it is about, and its user there.
    public func script(in machine: Machine) throws -> ShellScript {
        var values = machine.commandEnvironment.merging(task.environment) { _, own in own }
        values["WANDER_MACHINE"] = machine.name
        values["WANDER_ENVIRONMENT"] = project.environment.name
        values["WANDER_TASK"] = task.name
        let text = try String(decoding: text(), as: UTF8.self)
        var lines = values.sorted { $0.key < $1.key }.map { "export \(ShellQuoting.quote("\($0.key)=\($0.value)"))" }
        if let folder = task.folder {
            // A home folder is the guest's to know.
            let isHome = folder == "~" || folder.hasPrefix("~/")
            lines.append(
                isHome
                    ? "cd ~/\(ShellQuoting.quote(String(folder.dropFirst(2))))" : "cd -- \(ShellQuoting.quote(folder))")
        } else {
            lines.append("cd")
        }
        lines = ["set -e"] + lines
        if let interpreter = Self.interpreter(text) {
            // In a file: not every interpreter takes its script as a word.
            lines += [
                "wander_script=$(mktemp)", "trap 'rm -f \"$wander_script\"' EXIT",
                "printf %s \(ShellQuoting.quote(text)) >\"$wander_script\"",
                "wander_status=0; \(interpreter) \"$wander_script\" \"$@\" || wander_status=$?", "exit $wander_status",
            ]
        } else {
            lines.append("exec sh -eu -c \(ShellQuoting.quote(text)) \(ShellQuoting.quote(task.name)) \"$@\"")
        }
        return ShellScript(lines.joined(separator: "\n"), arguments, as: task.user == .root ? "root" : nil)
    }

    /// For this host: what is to be executed.
    public func hostCommand() throws -> (words: [String], environment: [String: String], folder: FilePath) {
        var values = task.environment
        values["WANDER_ENVIRONMENT"] = project.environment.name
        values["WANDER_PROJECT"] = project.environment.projectDirectory.string
        values["WANDER_TASK"] = task.name
        let place = project.environment.projectDirectory
        let folder = task.folder.map { place.pushing(FilePath($0)) } ?? place
        switch task.script {
        case .inline(let text): return (HostScript.words(text, named: task.name) + arguments, values, folder)
        case .file(let path):
            let file = path.resolved(in: place)
            let words = Self.interpreter(try String(decoding: text(), as: UTF8.self)) == nil ? ["/bin/sh", "-eu"] : []
            return (words + [file.string] + arguments, values, folder)
        }
    }

    private func text() throws -> [UInt8] {
        switch task.script {
        case .inline(let text): return Array(text.utf8)
        case .file(let path):
            let place = project.environment.projectDirectory
            return try WritableFolders(of: project.environment.machines, in: place)
                .read(path, in: place, limit: 1 << 20)
        }
    }

    /// What a first line with `#!` names, as a shell's words.
    private static func interpreter(_ text: String) -> String? {
        guard text.hasPrefix("#!") else { return nil }
        let words = text.dropFirst(2).prefix { $0 != "\n" }.split(separator: " ", maxSplits: 1)
        return words.isEmpty ? nil : words.map { ShellQuoting.quote(String($0)) }.joined(separator: " ")
    }
}
