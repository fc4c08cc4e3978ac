import YAML

/// Makes the files that go into a machine from their values: those of 'files', and those of steps.
struct FileBuilder {
    let context: BuildContext

    func files(_ record: Record) -> [FileDefinition] {
        var seen: Set<String> = []
        return record.list("files").compactMap { value in
            guard let given = value.record, let path = given["path"], let target = path.text else { return nil }
            guard seen.insert(target).inserted else {
                context.problems.report("the file '\(target)' is listed twice in 'files'", at: path.mark)
                return nil
            }
            return file(given)
        }
    }

    func file(_ record: Record) -> FileDefinition? {
        guard let path = record.text("path"), let content = content(record) else { return nil }
        return FileDefinition(
            path: path, content: content, mode: record.integer("mode").flatMap { UInt16(exactly: $0) } ?? 0o644,
            owner: record.text("owner") ?? (path.hasPrefix("~/") ? nil : "root:root"))
    }

    func content(_ record: Record) -> FileDefinition.Content? {
        if let source = record["source"], let text = source.text {
            return .source(context.hostPath(text, at: source.mark))
        }
        return record.text("content").map { .text($0) }
    }

    /// A step that only puts a file into the machine has no script to which these would mean anything.
    func check(_ step: Record) {
        for key in ["args", "env", "as", "timeout", "secrets", "reboot", "tty"] {
            guard let value = step[key], value.mark != .builtIn else { continue }
            context.problems.report(
                "a step with 'file' takes no '\(key)'",
                hint: key == "as"
                    ? "Write 'owner' in 'file'; a path that begins with '~/' is the login user's."
                    : "Remove it.", at: value.mark)
        }
    }
}
