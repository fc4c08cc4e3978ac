import ArgumentParser
import SystemPackage

/// The options that every command takes. They may also come before the verb.
struct GlobalOptions: ParsableArguments {
    enum ColorMode: String, ExpressibleByArgument, CaseIterable { case auto, always, never }
    enum ProgressMode: String, ExpressibleByArgument, CaseIterable { case auto, bar, plain, json, none }

    @Flag(help: "Print the result as JSON on standard output.") var json = false
    @Option(help: "Colour: auto, always or never. NO_COLOR is respected.") var color = ColorMode.auto
    @Option(help: "Progress on standard error: auto, bar, plain, json or none.") var progress = ProgressMode.auto
    @Flag(name: [.customShort("y"), .long], help: "Answer yes to every question.") var yes = false
    @Flag(name: .customLong("no-input"), help: "Never ask; what would need an answer fails.") var noInput = false
    @Flag(name: [.customShort("q"), .long], help: "Only results and errors.") var quiet = false
    @Flag(name: [.customShort("v"), .long], help: "More detail.") var verbose = false
    @Flag(help: "Show the chain of causes behind an error, and what is done in between.") var debug = false
}

/// Where the project is and what to change in it for this command.
struct ProjectOptions: ParsableArguments, ProjectSelection {
    @Option(
        name: [.customShort("f"), .long],
        help: "The Wanderfile, instead of the first one found in this folder or above it.", completion: .file())
    var file: String?
    @Option(name: .customLong("set"), help: "Override a value of the Wanderfile: --set memory=4GiB. May be repeated.")
    var overrides: [String] = []
}

/// The options that say which environment a command is for.
protocol ProjectSelection {
    var file: String? { get }
    var overrides: [String] { get }
}

/// The same as ``ProjectOptions`` where `-f` means something else.
struct LongProjectOptions: ParsableArguments, ProjectSelection {
    @Option(
        name: .long, help: "The Wanderfile, instead of the first one found in this folder or above it.",
        completion: .file())
    var file: String?
    @Option(name: .customLong("set"), help: "Override a value of the Wanderfile: --set memory=4GiB. May be repeated.")
    var overrides: [String] = []
}
