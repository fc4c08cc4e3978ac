import LinuxSystem
import SystemPackage

/// Finds the Wanderfile that a command applies to.
enum Discovery {
    static let names = ["Wanderfile", "Wanderfile.yaml", "wander.yaml"]

    /// Climbs from `start` to the first folder with a Wanderfile; not above `home`, nor to another file system.
    static func find(from start: FilePath, home: FilePath?) throws(EnvFileError) -> FilePath {
        var folder = start.lexicallyNormalized()
        var vagrantfile: FilePath?
        let device = (try? FileSystem.status(folder))??.device
        while true {
            var present: [String] = []
            for name in names {
                // Climbing past a Wanderfile that cannot be looked at would find another environment's.
                do throws(SystemError) {
                    if try FileSystem.exists(folder.appending(name)) { present.append(name) }
                } catch { throw .notReadable(error) }
            }
            guard present.count < 2 else { throw .ambiguous(present, folder: folder) }
            if let name = present.first { return folder.appending(name) }
            let ruby = folder.appending("Vagrantfile")
            if vagrantfile == nil, (try? FileSystem.status(ruby))??.kind == .regular { vagrantfile = ruby }
            let parent = folder.removingLastComponent()
            guard folder != home, parent != folder, !parent.isEmpty else {
                throw .notFound(start: start, vagrantfile: vagrantfile)
            }
            let parentDevice = (try? FileSystem.status(parent))??.device
            guard parentDevice == device else { throw .notFound(start: start, vagrantfile: vagrantfile) }
            folder = parent
        }
    }
}
