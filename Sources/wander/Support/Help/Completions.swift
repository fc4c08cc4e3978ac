import ArgumentParser
import BoxFormat
import EnvFile
import LinuxSystem
import Provider
import Reporting

/// What the shell offers for a word: names that exist here and now. Called by completion scripts; if anything goes
/// wrong, it offers nothing and prints nothing.
enum Completions {
    /// Machines that are not on the command line yet.
    static let machines = CompletionKind.custom { words, _, _ in
        let known = existing(words).map(\.name)
        return known.filter { !others(words).contains($0) }
    }
    /// One machine.
    static let machine = CompletionKind.custom { words, _, _ in existing(words).map(\.name) }

    static let snapshots = CompletionKind.custom { words, _, _ in
        unique(existing(words).flatMap { ((try? $0.snapshots()) ?? []).map(\.name) })
    }

    /// Steps of the Wanderfile.
    static let provisioners = CompletionKind.custom { words, _, _ in
        unique((project(words)?.environment.machines ?? []).flatMap { $0.provision.map(\.name) })
    }

    /// Tasks of the Wanderfile.
    static let tasks = CompletionKind.custom { words, _, _ in
        unique((project(words)?.environment.tasks ?? []).map(\.name))
    }

    /// Names of boxes in the store.
    static let boxes = CompletionKind.custom { _, _, _ in
        guard let store = try? BoxStore.standard(), let list = try? store.list() else { return [] }
        return unique(list.boxes.map(\.name.description))
    }

    /// The same, and names of catalogues' images.
    static let names = CompletionKind.custom { _, _, _ in
        let stored = (try? BoxStore.standard().list().boxes.map(\.name.description)) ?? []
        return unique(stored + ((try? ImageCatalogues.current().images().map(\.image.name.description)) ?? []))
    }

    private static func existing(_ words: [String]) -> [Machine] { (try? project(words)?.machines) ?? [] }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// What stands before the word that is completed; the last word is that one.
    private static func others(_ words: [String]) -> Set<String> { Set(words.dropLast().filter { !$0.hasPrefix("-") }) }

    /// The project that the command line names by `--file`, or the one here.
    private static func project(_ words: [String]) -> Project? {
        var file: String?
        for (index, word) in words.enumerated() {
            if word == "-f" || word == "--file" { file = words.dropFirst(index + 1).first }
            if word.hasPrefix("--file=") { file = String(word.dropFirst(7)) }
        }
        guard let environment = try? EnvironmentLoader(.command(file: file)).load(),
            let boxes = try? BoxStore.standard(), let cancellation = try? Cancellation()
        else { return nil }
        let settings = Project.Settings(command: "wander", programs: ProgramFolder.path)
        return Project(
            environment, boxes: boxes, settings: settings, events: SilentSink(), cancellation: cancellation)
    }
}
