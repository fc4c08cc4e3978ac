import ArgumentParser
import EnvFile
import JSON
import Reporting
import SystemPackage

struct Validate: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the Wanderfile and the layers around it, and report all problems at once.",
        discussion: "Starts nothing and changes nothing. Exits with 2 if there is a problem.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions

    func execute(_ context: CommandContext) throws {
        do {
            let environment = try project.environment(context)
            let problems = environment.hostProblems(for: environment.machines)
            guard problems.isEmpty else { throw EnvFileError.invalid(problems, unreported: 0) }
            report(environment, context)
        } catch let error as EnvFileError {
            // What is wrong is what was asked for: a result, and in the document as data.
            guard !error.diagnostics.isEmpty else { throw error }
            context.output(
                ([error.detail].compactMap(\.self)).joined(), json: Self.document(error.diagnostics, isValid: false))
            throw ExitCode(error.kind.exitStatus)
        }
    }

    private func report(_ environment: Environment, _ context: CommandContext) {
        for warning in environment.warnings where !context.json {
            context.console.report(.warning(warning.rendered))
        }
        let count = environment.machines.count
        let file = environment.file.lastComponent?.string ?? environment.file.string
        context.output(
            "\(file) is valid: \(counted(count, "machine")), \(environment.machines.map(\.name).prefix(8).joined(separator: ", "))"
                + (count > 8 ? ", ..." : ""),
            json: .object(
                (Self.document(environment.warnings, isValid: true).objectValue ?? []) + [
                    JSONMember("file", .string(environment.file.string)),
                    JSONMember("name", .string(environment.name)),
                    JSONMember("machines", .strings(environment.machines.map(\.name))),
                ]))
    }

    private static func document(_ diagnostics: [Diagnostic], isValid: Bool) -> JSONValue {
        ["valid": .bool(isValid), "problems": .array(diagnostics.map(document))]
    }

    private static func document(_ diagnostic: Diagnostic) -> JSONValue {
        [
            "severity": .string(diagnostic.severity.rawValue), "message": .string(diagnostic.message),
            "hint": .optional(diagnostic.hint), "file": .optional(diagnostic.location?.file),
            "line": diagnostic.location.map { .integer(Int64($0.line)) } ?? .null,
            "column": diagnostic.location.map { .integer(Int64($0.column)) } ?? .null,
            "length": .integer(Int64(diagnostic.length)),
        ]
    }
}
