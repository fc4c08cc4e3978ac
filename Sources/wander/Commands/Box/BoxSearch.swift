import ArgumentParser
import BoxFormat
import JSON
import Reporting

struct BoxSearch: WanderCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "List images and boxes that have a name.",
        discussion: """
            A name ('box: debian/13', 'wander init debian/13') is looked up in this order, and the first that has it counts:

              1. the box store: what 'wander box list' shows
              2. WANDER_CATALOGUES, else the lines of $XDG_CONFIG_HOME/wander/catalogues:
                 URLs of Vagrant's catalogues, with {user}, {name} or {box}
              3. images of distributions: Wanderfile.catalogue beside the Wanderfile,
                 $XDG_CONFIG_HOME/wander/catalogue.yaml, the built-in catalogue
              4. Vagrant's registry, if 2. names no others

            An image is compared with what its publisher states, and Wanderfile.lock records the digest of what was compared. \
            'wander box search --catalogue' prints the built-in catalogue, whose form yours have: 'mirrors:' in it, or \
            WANDER_MIRROR_WORD in the environment, says where to get a publisher's files instead.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Only what has this in its name or title.") var word: String?
    @Flag(help: "Print the built-in catalogue, to begin one of your own.") var catalogue = false
    @Flag(help: "Ask each publisher what there is today.") var check = false
    @OptionGroup var download: DownloadOptions

    func execute(_ context: CommandContext) throws {
        if catalogue {
            let text = ImageCatalogue.builtInText
            return context.output(text, json: ["catalogue": .string(text)])
        }
        let store = try BoxStore.standard()
        let images = ImageCatalogues.current()
        let stored = Set(try store.list().boxes.map(\.name))
        let found = try images.images().filter { fits($0.image.name.description, $0.image.title) }
        let others = stored.filter { name in !found.contains { $0.image.name == name } && fits(name.description, "") }
        let tiny = fits("wander/tiny", "the smallest box") && !stored.contains { $0.description == "wander/tiny" }
        guard !found.isEmpty || !others.isEmpty || tiny else {
            let known = try images.images().map { (name: $0.image.name.description, words: $0.image.title) }
            throw SearchError(
                word: word ?? "",
                near: NearNames.near(word ?? "", in: stored.sorted().map { (name: $0.description, words: "") } + known))
        }
        let installer = BoxInstaller(
            store: store, catalogues: [], images: images, downloader: Downloader(download.settings),
            sink: context.console, cancellation: context.cancellation)
        var table = TextTable(["NAME", "WHAT", "FROM"] + (check ? ["TODAY"] : []))
        var documents: [JSONValue] = []
        var failures = 0
        for name in others.sorted() { table.add([name.description, "a box", "the store"]) }
        for image in found {
            var row = [image.image.name.description, image.image.title, origin(image, stored)]
            var document = image.document(isStored: stored.contains(image.image.name))
            if check {
                let answer = try today(image, installer)
                if answer.problem != nil { failures += 1 }
                row.append(answer.problem?.summary ?? answer.version)
                document = document.adding(answer.json)
            }
            table.add(row)
            documents.append(document)
        }
        if tiny { table.add(["wander/tiny", "the smallest box, to try things", "wander box build tiny"]) }
        context.output(
            table.rendered,
            json: [
                "images": .array(documents), "boxes": .strings(others.sorted().map(\.description)),
                "failures": .integer(Int64(failures)),
            ])
        if failures > 0 { throw ExitCode(ErrorKind.network.exitStatus) }
    }

    private func fits(_ name: String, _ title: String) -> Bool {
        guard let word else { return true }
        return name.lowercased().contains(word.lowercased()) || title.lowercased().contains(word.lowercased())
    }

    private func origin(_ found: ImageCatalogues.Found, _ stored: Set<BoxName>) -> String {
        let marks = [
            stored.contains(found.image.name) ? "in the store" : nil,
            found.image.isExperimental ? "an experiment" : nil,
        ].compactMap(\.self)
        return ([found.origin.shown] + marks).joined(separator: ", ")
    }

    private struct Answer {
        var version = ""
        var checksum: String?
        var problem: (any UserFacingError)?
        var json: [JSONMember] {
            [
                JSONMember("version", .string(version)), JSONMember("checksum", .optional(checksum)),
                JSONMember("problem", .optional(problem?.summary)),
            ]
        }
    }

    private func today(_ found: ImageCatalogues.Found, _ installer: BoxInstaller) throws -> Answer {
        do {
            let (version, checksum) = try installer.published(found)
            return Answer(version: version.description, checksum: checksum.description)
        } catch let error as BoxSourceError { return Answer(problem: error) }
    }
}

/// Nothing is called that.
private struct SearchError: UserFacingError {
    let word: String
    let near: [String]
    var summary: String { "nothing has '\(word)' in its name or title" }
    var remedy: String? {
        near.isEmpty
            ? "'wander box search' without a word lists everything." : "Did you mean \(near.joined(separator: ", "))?"
    }
    var kind: ErrorKind { .notFound }
}

extension ImageCatalogues.Found {
    /// What programs get to know about an image.
    func document(isStored: Bool) -> JSONValue {
        [
            "name": .string(image.name.description), "title": .string(image.title), "origin": .string(origin.shown),
            "image": .string(location.shown), "checksums": .string(checksums.shown),
            "form": .string(image.form.rawValue), "architecture": .string(image.architecture.description),
            "user": .optional(image.facts.user), "cloudInit": .bool(image.facts.cloudInit),
            "firmware": .optional(image.facts.firmware?.rawValue),
            "smallestMemory": image.facts.smallestMemory.map { .size($0) } ?? .null,
            "isExperimental": .bool(image.isExperimental), "note": .optional(image.note), "isStored": .bool(isStored),
        ]
    }
}

extension JSONValue {
    /// An object with more members.
    fileprivate func adding(_ members: [JSONMember]) -> JSONValue { .object((objectValue ?? []) + members) }
}
