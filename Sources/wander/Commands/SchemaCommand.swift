import ArgumentParser
import EnvFile
import JSON

struct SchemaCommand: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of the Wanderfile, for editors.",
        discussion: """
            An editor that speaks the YAML language server's protocol completes and checks a Wanderfile that starts with \
            '# yaml-language-server: $schema=FILE'. 'wander init' writes that line and the file.
            """)
    @OptionGroup var options: GlobalOptions
    @Flag(help: "List every key with its type, default and an example instead.") var keys = false

    func execute(_ context: CommandContext) throws {
        guard keys else {
            return context.output(JSONSchema.document.pretty, json: ["jsonSchema": JSONSchema.document])
        }
        let rows = KeyReference.rows
        context.output(
            rows.map(Self.paragraph).joined(separator: "\n"),
            json: [
                "keys": .array(
                    rows.map { row in
                        [
                            "path": .string(row.path), "type": .string(row.type),
                            "default": .optional(row.standard ?? row.note), "summary": .string(row.summary),
                            "details": .optional(row.details), "example": .string(row.example),
                        ]
                    })
            ])
    }

    private static func paragraph(_ row: KeyReference.Row) -> String {
        var text = "\(row.path): \(row.example)\n    \(row.summary)."
        if let details = row.details { text += " \(details)" }
        text += "\n    Takes \(row.type)."
        if let standard = row.standard ?? row.note { text += " Default: \(standard)." }
        return text
    }
}
