import LinuxSystem
import RubyReader
import SystemPackage
import YAML

/// What a Vagrantfile may read: plain files in its own folder, of a size that settings have. No link leads out.
final class VagrantFolderHost: RubyHost {
    private static let fileLimit = 1 << 20
    /// Of all files together, in bytes.
    private static let totalLimit = 8 << 20
    private let folder: FilePath
    private let vagrant: VagrantScope
    private var spent = 0

    init(_ folder: FilePath, _ vagrant: VagrantScope) {
        self.folder = folder
        self.vagrant = vagrant
    }

    var folderName: String { folder.lastComponent?.string ?? "project" }

    func object(named name: String) -> (any RubyObject)? { name == "Vagrant" ? VagrantModule(vagrant) : nil }

    /// A file asks for plugins, and for Vagrant's version.
    let needless: Set<String> = [
        "has_plugin?", "installed_plugins", "plugin_installed?", "require_plugin", "require_version", "VERSION",
        "version?",
    ]

    private func open(_ path: String) -> OwnedDescriptor? {
        guard let relative = inside(path), let root = try? OwnedDescriptor.open(folder, [.readOnly, .directory]) else {
            return nil
        }
        return try? root.openBeneath(FilePath(relative), [.readOnly, .nonBlocking], following: true)
    }

    /// The path from the folder on; nil: it leads elsewhere.
    private func inside(_ path: String) -> String? {
        guard !path.contains("\0"), path.utf8.count < 4096, !path.isEmpty, !path.hasPrefix("~") else { return nil }
        let absolute = folder.pushing(FilePath(path)).lexicallyNormalized()
        let base = folder.lexicallyNormalized()
        guard absolute.starts(with: base) else { return nil }
        var rest = absolute
        _ = rest.removePrefix(base)
        return rest.isEmpty ? "." : rest.string
    }

    func read(_ path: String) -> [UInt8]? {
        guard spent < Self.totalLimit, let file = open(path), let status = try? file.status(), status.kind == .regular,
            status.size <= Self.fileLimit, let bytes = try? file.readAll(limit: Self.fileLimit)
        else { return nil }
        spent += bytes.count
        return bytes
    }

    func kind(of path: String) -> RubyFileKind? {
        guard inside(path) != nil else { return nil }
        switch (try? open(path)?.status())?.kind {
        case .directory: return .folder
        case nil: return .nothing
        default: return .file
        }
    }

    func names(in path: String) -> [String] {
        guard let folder = open(path), (try? folder.status())?.kind == .directory else { return [] }
        return ((try? folder.names()) ?? []).prefix(1000).map(\.string)
    }

    func yaml(_ text: [UInt8]) -> RubyValue? {
        let problems = Problems()
        let source = problems.add(SourceText(label: "settings", bytes: text))
        return YAMLReader.read(source, problems: problems).map { Self.value($0) }
    }

    private static func value(_ node: Node) -> RubyValue {
        switch node.content {
        case .sequence(let items): return .list(RubyList(items.map(value)))
        case .mapping(let entries):
            let table = RubyTable()
            for entry in entries {
                // Ruby has symbols in YAML: `:name: value`.
                let isSymbol = entry.name.hasPrefix(":") && entry.name.count > 1
                let number = Int64(entry.name)
                let key: RubyValue = isSymbol ? .symbol(String(entry.name.dropFirst())) : .string(entry.name)
                table[number.map { .integer($0) } ?? key] = value(entry.value)
            }
            return .table(table)
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            if node.isNull { return .null }
            switch text.lowercased() {
            case "true", "yes", "on": return .flag(true)
            case "false", "no", "off": return .flag(false)
            default: break
            }
            if text.hasPrefix(":"), text.count > 1 { return .symbol(String(text.dropFirst())) }
            if let number = Int64(text), text == "\(number)" { return .integer(number) }
            if text.contains("."), let number = Double(text), text.allSatisfy({ $0.isNumber || $0 == "." || $0 == "-" })
            {
                return .decimal(number)
            }
            return .string(text)
        }
    }
}
