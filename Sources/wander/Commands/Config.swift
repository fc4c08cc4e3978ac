import ArgumentParser
import EnvFile
import JSON
import Reporting
import SystemPackage

struct Config: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the environment as wander understands it, with every default filled in.",
        discussion: "The output is itself a Wanderfile, without variables, 'defaults' or 'count'.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var project: ProjectOptions
    @Flag(help: "Show which line of which file each value comes from.") var origin = false

    func execute(_ context: CommandContext) throws {
        let environment = try project.environment(context)
        var members = [
            JSONMember("file", .string(environment.file.string)),
            JSONMember("sources", .strings(environment.sources.map(\.string))),
            JSONMember("environment", environment.canonicalJSON),
        ]
        if origin {
            let origins = environment.origins.sorted { $0.key < $1.key }
            members.append(
                JSONMember("origins", .object(origins.map { JSONMember($0.key, .string($0.value.description)) })))
        }
        context.output(environment.configurationText(origins: origin), json: .object(members))
    }
}
