/// Where a share goes in the machine.
enum SharePath {
    enum Failure: Error, Equatable {
        case relative(String)
        case home(String)
        case parent(String)
        case controlCharacter
        case tooLong
        case root
        /// A folder that the machine's system needs.
        case system(String)

        /// Follows the key's name.
        var message: String {
            switch self {
            case .relative(let path), .home(let path):
                "leads to '\(path.prefix(64))', which is no absolute path in the machine"
            case .parent(let path): "leads to '\(path.prefix(64))'; it cannot contain '..'"
            case .controlCharacter: "leads to a path with a control character"
            case .tooLong: "leads to a path of more than \(SharePath.limit) bytes"
            case .root: "leads to '/', which would hide the whole machine"
            case .system(let path): "leads to '\(path.prefix(64))', which the machine's own system needs"
            }
        }

        var hint: String {
            switch self {
            case .relative(let path):
                "Write '/\(path.drop { $0 == "." || $0 == "/" }.prefix(64))', or choose another that begins with '/'."
            case .home: "Write the home folder out, such as '/home/vagrant/project'."
            default: "Choose a folder of its own, such as '/project'."
            }
        }
    }

    /// In bytes: what mount(2) takes.
    static let limit = 4095

    /// Nothing may be mounted on these, nor below them.
    private static let kernelFolders = ["/proc", "/sys", "/dev", "/boot"]
    /// Nothing may be mounted on these; below them there is room.
    private static let systemFolders: Set<String> = [
        "/bin", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/root", "/run", "/sbin", "/tmp", "/usr",
        "/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/sbin", "/usr/share",
        "/var", "/var/lib", "/var/log", "/var/run", "/var/tmp",
    ]

    /// The path without `.` and needless slashes.
    static func normalized(_ text: String) throws(Failure) -> String {
        guard text.hasPrefix("/") else { throw text.hasPrefix("~") ? .home(text) : .relative(text) }
        guard text.utf8.count <= limit else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw .controlCharacter }
        let names = text.split(separator: "/").filter { $0 != "." }
        guard !names.contains("..") else { throw .parent(text) }
        guard !names.isEmpty else { throw .root }
        let path = "/" + names.joined(separator: "/")
        guard !systemFolders.contains(path),
            !kernelFolders.contains(where: { path == $0 || path.hasPrefix($0 + "/") })
        else { throw .system(path) }
        return path
    }

    /// What tells two layers' shares apart: as much as can be said before variables are filled in.
    static func identity(_ text: String) -> String {
        "/" + text.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }
}

extension SharedFolder {
    /// Why nothing can be shared at a place in a machine, as what follows "it"; nil: something can.
    public static func problem(ofPlace path: String) -> String? {
        do throws(SharePath.Failure) {
            _ = try SharePath.normalized(path)
            return nil
        } catch { return error.message }
    }
}

extension ScalarType {
    static let sharePath = ScalarType(
        expected: "an absolute path in the machine", schema: SchemaFragment.pattern("/.+")
    ) { text in
        do throws(SharePath.Failure) {
            return .value(.text(try SharePath.normalized(text)))
        } catch {
            return .problem(error.message, hint: error.hint)
        }
    }
}
