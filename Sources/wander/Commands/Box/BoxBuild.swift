import ArgumentParser
import BoxFormat
import JSON
import LinuxSystem
import Reporting
import SystemPackage

struct BoxBuild: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Make one of wander's own boxes from Debian's packages.",
        discussion: """
            Runs a recipe that comes with wander, and puts the box into the store. The same packages give the same box. It needs \
            apt, no root, and a minute or two:

              wander box build tiny
              wander box build debian -- --release=13

            What stands behind '--' is for the recipe.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The recipe: tiny or debian.") var recipe: String
    @Option(
        name: [.customShort("o"), .long], help: "Write the box to this file, and leave the store as it is.",
        completion: .file())
    var output: String?
    @Argument(parsing: .postTerminator, help: "Options of the recipe.") var recipeOptions: [String] = []

    func execute(_ context: CommandContext) throws {
        let folder = try Recipes.folder()
        let known = try Recipes.names(in: folder)
        guard known.contains(recipe) else { throw RecipeError.unknown(recipe, known: known) }
        let file: FilePath
        let scratch: FilePath?
        if let output {
            file = FileSystem.currentDirectory.pushing(FilePath(output)).lexicallyNormalized()
            scratch = nil
        } else {
            let folder = FilePath(environmentVariable("TMPDIR") ?? "/tmp").appending(
                "wander-build-\(randomIdentifier())")
            try FileSystem.makeDirectory(folder, permissions: 0o700)
            scratch = folder
            file = folder.appending("\(recipe).box")
        }
        defer { if let scratch { try? FileSystem.removeTree(scratch) } }
        context.console.report(.step("Building \(recipe) by the recipes in \(folder)"))
        var child = ChildProcess.Options()
        child.output = .descriptor(2)
        let process = try ChildProcess.start(
            [folder.appending("build").string, recipe, "--output", file.string] + recipeOptions, child)
        while true {
            // The terminal's Ctrl-C reaches the recipe, too, which then cleans up.
            guard let outcome = try process.wait(milliseconds: 500) else { continue }
            try context.cancellation.check()
            guard outcome.isSuccess else { throw RecipeError.failed(recipe, status: outcome.shellStatus) }
            break
        }
        guard scratch != nil else {
            return context.output("Wrote \(file). Add it: wander box add \(file)", json: ["file": .string(file.string)])
        }
        let store = try BoxStore.standard()
        var addition = BoxStore.AddOptions()
        addition.whenPresent = .use
        addition.source = "wander box build \(recipe)"
        let (box, outcome) = try store.add(
            file, addition, sink: context.console, cancellation: context.cancellation)
        let uses = try store.uses(of: box.identity)
        context.output(
            "\(outcome == .present ? "There already:" : "Added") \(box.identity), \(ByteCount(box.sizeOnDisk)) on the disk.",
            json: ["box": box.document(uses: uses)])
    }
}

/// Where the recipes are: `boxes` below `share/wander` of an installation, or in wander's source.
private enum Recipes {
    static func folder() throws -> FilePath {
        let program = ProgramFolder.path
        let places = [
            program.removingLastComponent().pushing("share/wander/boxes"),
            // `out/bin`, `.build/debug`, `.build/TRIPLE/debug`.
            program.removingLastComponent().removingLastComponent().appending("boxes"),
            program.removingLastComponent().removingLastComponent().removingLastComponent().appending("boxes"),
        ]
        guard let found = places.first(where: { !FileSystem.isAbsent($0.appending("build")) }) else {
            throw RecipeError.notInstalled(places[0])
        }
        return found
    }

    /// Those that make boxes; others, for tests, say that they do not.
    static func names(in folder: FilePath) throws -> [String] {
        try FileSystem.list(folder).filter { name in
            let recipe = folder.appending(name).appending("recipe.sh")
            guard !FileSystem.isAbsent(recipe) else { return false }
            let text = String(decoding: try FileSystem.read(recipe, limit: 1 << 16), as: UTF8.self)
            return text.firstRange(of: "\n# No box:") == nil
        }.sorted()
    }
}

private enum RecipeError: UserFacingError {
    case notInstalled(FilePath)
    case unknown(String, known: [String])
    case failed(String, status: Int32)

    var summary: String {
        switch self {
        case .notInstalled(let place): "wander's recipes are not installed in \(place)"
        case .unknown(let name, _): "there is no recipe '\(name)'"
        case .failed(let name, let status): "the recipe '\(name)' failed with status \(status)"
        }
    }

    var remedy: String? {
        switch self {
        case .notInstalled: "'make install' in wander's source installs them."
        case .unknown(_, let known): "There are: \(known.joined(separator: ", "))."
        case .failed: "Its messages are above."
        }
    }

    var kind: ErrorKind {
        switch self {
        case .notInstalled, .unknown: .notFound
        case .failed: .failure
        }
    }
}
