import LinuxSystem
import Reporting
public import SystemPackage
import YAML

/// Reads the Wanderfile and the layers around it.
///
/// From the lowest layer to the highest: what is built in, the user's configuration, the Wanderfile, `Wanderfile.local`
/// beside it, and `--set`. It writes nothing, and reads only these files and the `env_files` that they name.
public struct EnvironmentLoader: Sendable {
    public struct Options: Sendable {
        /// Absolute; where the search for a Wanderfile starts.
        public var workingDirectory: FilePath
        /// The file to take instead of searching for one.
        public var file: FilePath?
        /// `path=value`, each a layer.
        public var overrides: [String] = []
        /// For `${NAME}` and `~`.
        public var variables: [String: String] = [:]
        /// Absolute; nil: none.
        public var userConfiguration: FilePath?
        /// What the Wanderfile is to have, in place of what is in it, without the layers around it.
        public var content: [UInt8]?
        /// Gets a file from a URL that `include` names, by its digest; nil: there are no such files.
        public var fetch: (@Sendable (_ url: String, _ digest: String) -> Result<[UInt8], IncludeFailure>)?
        /// The version that the key `wander` is compared with; nil: there is no check.
        public var version: ProgramVersion?

        public init(workingDirectory: FilePath) { self.workingDirectory = workingDirectory }

        /// The options of this process: its folder, `WANDER_FILE`, `HOME` and `XDG_CONFIG_HOME`.
        public static func current(
            file: String? = nil, overrides: [String] = [], version: ProgramVersion? = nil
        ) -> Options {
            var options = Options(workingDirectory: FileSystem.currentDirectory)
            for variable in currentEnvironment() {
                guard let equals = variable.firstIndex(of: "=") else { continue }
                options.variables[String(variable[..<equals])] = String(variable[variable.index(after: equals)...])
            }
            if options.home == nil, let home = HomeFolder.path { options.variables["HOME"] = home.string }
            let named = file ?? options.variables["WANDER_FILE"]
            if let named, !named.isEmpty { options.file = FilePath(named) }
            options.overrides = overrides
            options.version = version
            options.userConfiguration = UserFolders.configuration?.pushing("wander/config.yaml")
            return options
        }

        var home: FilePath? { variables["HOME"].flatMap { $0.hasPrefix("/") ? FilePath($0) : nil } }
    }

    /// The longest file that ``Options/fetch`` may give, in bytes.
    public static let fetchLimit = YAMLLimits.fileSize

    public let options: Options

    public init(_ options: Options) { self.options = options }

    /// The absolute path of the Wanderfile: the named one, or the first one from the working directory up.
    public func discover() throws(EnvFileError) -> FilePath {
        guard let file = options.file else {
            return try Discovery.find(from: options.workingDirectory, home: options.home)
        }
        let path = options.workingDirectory.pushing(file).lexicallyNormalized()
        guard options.content != nil || !FileSystem.isAbsent(path) else { throw .missing(path) }
        return path
    }

    /// Finds, reads, decodes and checks the environment.
    /// - Throws: ``EnvFileError/invalid(_:unreported:)`` with everything that is wrong at once.
    public func load() throws(EnvFileError) -> Environment {
        let file = try discover()
        let problems = Problems()
        var layers = LayerReader(problems: problems, options: options, file: file)
        let root = layers.read()
        var reader = ValueReader(problems: problems, variables: Variables(host: options.variables))
        reader.variables.builtIn = builtIns(project: layers.project)
        var environment: Environment?
        if let root {
            layers.readVariables(root, into: &reader)
            let project = reader.record(
                (root.mapping ?? []).filter { entry in
                    ["wander", "name", "networks"].contains(entry.name) && !entry.isPlaceInNetwork
                }, mark: root.mark, as: .projectFrame, path: "")
            checkVersion(project, problems: problems)
            let context = BuildContext(
                problems: problems, project: layers.project, home: options.home, folders: layers.folders)
            var builder = EnvironmentBuilder(context: context, reader: reader, file: file)
            if let project { environment = builder.environment(root, project: project, sources: layers.sources) }
        }
        guard let environment, !problems.hasErrors else {
            throw .invalid(problems.sorted, unreported: problems.unreported)
        }
        return environment
    }

    private func builtIns(project: FilePath) -> [String: String] {
        var values = ["project.dir": project.string]
        values["host.home"] = options.home?.string
        values["host.user"] = options.variables["USER"]
        return values
    }

    private func checkVersion(_ project: Record?, problems: Problems) {
        guard let value = project?["wander"], let range = project?.versions("wander"), let version = options.version,
            !range.contains(version)
        else { return }
        problems.report(
            "this file needs wander \(range); this is wander \(version)", hint: "Install a version that fits.",
            at: value.mark)
    }
}

extension ObjectType {
    /// What the environment itself has, without its machines.
    static let projectFrame = ObjectType(
        "a Wanderfile", keys: project.keys.filter { ["wander", "name", "networks"].contains($0.name) })
}
