import LinuxSystem
import Reporting
import SystemPackage
import YAML

/// Reads every layer and merges them.
struct LayerReader {
    let problems: Problems
    let options: EnvironmentLoader.Options
    let file: FilePath
    /// Absolute.
    let project: FilePath
    /// Files that were read, in the order of the layers.
    private(set) var sources: [FilePath] = []
    /// The folder of each layer, for its relative paths.
    var folders: [Int: FilePath] = [:]
    /// What other files include, by path or URL.
    var included: [String: Node] = [:]

    init(problems: Problems, options: EnvironmentLoader.Options, file: FilePath) {
        self.problems = problems
        self.options = options
        self.file = file
        project = file.removingLastComponent()
    }

    /// The merged layers; nil if one of them cannot be read at all.
    mutating func read() -> Node? {
        var layers: [Node] = []
        if let path = options.userConfiguration, isThere(userConfiguration: path) {
            if let node = readFile(path, label: path.string, as: .userConfiguration) { layers.append(node) }
        }
        let label = file.lastComponent?.string ?? file.string
        guard let main = readFile(file, label: label, as: .project) else { return nil }
        let top = Trail(place: file.lexicallyNormalized().string, label: label, folder: project)
        layers.append(including(main, trail: [top]))
        let local = FilePath(file.string + ".local")
        if options.content == nil, !FileSystem.isAbsent(local),
            let node = readFile(local, label: label + ".local", as: .project)
        {
            layers.append(
                including(node, trail: [Trail(place: local.string, label: label + ".local", folder: project)]))
        }
        for (index, override) in options.overrides.prefix(1000).enumerated() {
            guard let node = SetOverride.read(override, number: index + 1, problems: problems) else { continue }
            checkKeys(node, as: .project)
            layers.append(including(node, trail: [Trail(place: "--set", label: "--set", folder: project)]))
        }
        return layers.dropFirst().reduce(layers[0]) { NodeMerge.merge($0, with: $1, as: .object(.project)) }
    }

    /// - Parameter content: What the file has, if it is not a file of this host.
    mutating func readFile(
        _ path: FilePath, label: String, as type: ObjectType, content: [UInt8]? = nil
    ) -> Node? {
        let known = content.map { problems.add(SourceText(label: label, bytes: $0)) }
        guard let source = known ?? readText(path, label: label) else { return nil }
        guard !isVagrantfile(source) else { return nil }
        let before = problems.diagnostics.count
        guard let node = YAMLReader.read(source, problems: problems) else {
            if let first = problems.diagnostics.dropFirst(before).first, let line = first.location?.line {
                // That a line has no ':' is seen at the next one.
                let isSeenLate = first.message == YAMLMessage.noKey
                if explainRuby(source, at: isSeenLate ? [line, line - 1] : [line], since: before) { return nil }
            }
            // No problem: the file is empty, or holds comments only.
            guard problems.diagnostics.count == before, path == file else { return nil }
            problems.report(
                "\(label) is empty", hint: "Add 'box: NAME', or write a new file with 'wander init'.", at: nil)
            return nil
        }
        guard node.mapping != nil else {
            guard !explainRuby(source, at: [node.mark.line], since: before) else { return nil }
            problems.report("\(type.title) must be a map of keys and values, not \(node.kindName)", at: node.mark)
            return nil
        }
        checkKeys(node, as: type)
        return node
    }

    /// A Vagrantfile is Ruby; what YAML's parser would say of it helps nobody.
    private func isVagrantfile(_ source: Int) -> Bool {
        let text = problems.sources[source]
        let label = text.label
        for (index, start) in text.lineStarts.prefix(200).enumerated() {
            let line = text.line(from: start)
            guard line.hasPrefix("Vagrant.configure") || line.hasPrefix("Vagrant::Config.run") else { continue }
            problems.report(
                "this is a Vagrantfile, in Ruby; a Wanderfile is YAML",
                hint: file.lastComponent?.string == "Vagrantfile"
                    ? "Make a Wanderfile of it: wander import"
                    : "Make a Wanderfile of it: mv \(label) Vagrantfile && wander import",
                at: Mark(source: source, line: index + 1, column: 1, length: line.prefix { $0 != "(" }.count))
            return true
        }
        return false
    }

    /// Says of lines in Ruby what they are in a Wanderfile, in place of what YAML's parser says.
    /// - Parameters:
    ///   - places: The lines that the parser may have given up at.
    ///   - count: How many problems there were before.
    /// - Returns: Whether that is what is wrong.
    private func explainRuby(_ source: Int, at places: [Int], since count: Int) -> Bool {
        let text = problems.sources[source]
        let lines = text.lineStarts.prefix(2000).map { text.line(from: $0) }
        func indentation(_ line: String) -> Int { line.prefix { $0 == " " }.count }
        func key(_ number: Int) -> VagrantKey? {
            guard lines.indices.contains(number - 1) else { return nil }
            return VagrantKey(line: lines[number - 1], at: Mark(source: source, line: number, column: 1))
        }
        guard let guilty = places.first(where: { key($0) != nil }) else { return false }
        problems.takeBack(to: count)
        let level = indentation(lines[guilty - 1])
        for (index, line) in lines.enumerated() where indentation(line) == level {
            guard let key = key(index + 1) else { continue }
            problems.report(
                "this line is Ruby, from a Vagrantfile; a Wanderfile is YAML", hint: key.advice,
                at: Mark(source: source, line: index + 1, column: level + 1, length: line.count - level))
        }
        return true
    }

    /// Keys at the top are checked layer by layer: after merging, the decoder looks only for those that it knows.
    private func checkKeys(_ node: Node, as type: ObjectType) {
        for entry in node.mapping ?? [] where type.key(entry.name) == nil {
            UnknownKey.report(entry, in: type, problems: problems)
        }
    }

    /// The number of the new source; nil if the file cannot be read.
    private mutating func readText(_ path: FilePath, label: String) -> Int? {
        if path == file, let content = options.content {
            let source = problems.add(SourceText(label: label, bytes: content))
            sources.append(path)
            folders[source] = path.removingLastComponent()
            return source
        }
        do throws(SystemError) {
            // Not blocking: a pipe that nobody writes to would hold wander for ever.
            let descriptor = try OwnedDescriptor.open(path, [.readOnly, .nonBlocking])
            let status = try descriptor.status()
            guard status.kind == .regular else {
                let what = status.kind == .directory ? "a folder" : "not a regular file"
                problems.report("\(label) is \(what)", at: nil)
                return nil
            }
            guard status.size <= Int64(YAMLLimits.fileSize) else {
                problems.report("\(label) has more than 1 MiB, which is too long", at: nil)
                return nil
            }
            let source = problems.add(
                SourceText(label: label, bytes: try descriptor.readAll(limit: YAMLLimits.fileSize)))
            sources.append(path)
            folders[source] = path.removingLastComponent()
            return source
        } catch {
            problems.report("\(label) cannot be read: \(error.errno)", at: nil)
            return nil
        }
    }

    /// A folder of another user is nobody's configuration: `sudo -u` keeps HOME.
    private func isThere(userConfiguration path: FilePath) -> Bool {
        do throws(SystemError) { return try FileSystem.exists(path) } catch { return error.errno != .permissionDenied }
    }

    // MARK: - Variables

    /// Reads `env_files` and `vars`, which everything else may use.
    mutating func readVariables(_ root: Node, into reader: inout ValueReader) {
        if let node = root["env_files"], !node.isNull, let type = ObjectType.project.key("env_files")?.type {
            for value in reader.read(node, as: type, path: "env_files")?.list ?? [] {
                guard let text = value.text else { continue }
                let path = HostPath(
                    text, in: folders[value.mark.source] ?? project, project: project, home: options.home)
                guard !FileSystem.isAbsent(path.resolved(in: project)) else {
                    problems.report("there is no file '\(text)'", at: value.mark)
                    continue
                }
                readEnvFile(path.resolved(in: project), label: text, into: &reader)
            }
        } else if !FileSystem.isAbsent(project.appending(".env")) {
            readEnvFile(project.appending(".env"), label: ".env", into: &reader)
        }
        guard let node = root["vars"], let type = ObjectType.project.key("vars")?.type,
            let declared = reader.read(node, as: type, path: "vars")
        else { return }
        for entry in declared.map ?? [] {
            let standard = entry.value.record?["default"]
            reader.variables.declared[entry.name] = .some(standard?.text)
            guard let standard, let text = standard.text, problems.sources[standard.mark.source].isOverride else {
                continue
            }
            reader.variables.overridden[entry.name] = text
        }
    }

    private mutating func readEnvFile(_ path: FilePath, label: String, into reader: inout ValueReader) {
        guard let source = readText(path, label: label) else { return }
        reader.variables.fromFiles.merge(EnvFileText.read(source, problems: problems)) { $1 }
    }
}
