import LinuxSystem
import SystemPackage

/// A folder with a Wanderfile of two machines that were never started, and all that commands need beside it. Removed at
/// the end.
final class ProjectFolder {
    let path: FilePath
    let wander: WanderProcess

    init(wanderfile: String = "defaults: { box: team/base }\nmachines: { web: { depends_on: [db] }, db: {} }\n") throws
    {
        path = try FileSystem.resolve(FilePath(environmentVariable("TMPDIR") ?? "/tmp")).appending(
            "wander-project-test-\(randomIdentifier(bytes: 8))")
        try FileSystem.makeDirectory(path.appending("home"))
        try AtomicFile.write(wanderfile, to: path.appending("Wanderfile"))
        wander = WanderProcess(
            environment: [
                "WANDER_HOME": path.appending("store").string, "XDG_STATE_HOME": path.appending("state").string,
                "XDG_CONFIG_HOME": path.appending("config").string, "XDG_CACHE_HOME": path.appending("cache").string,
                "HOME": path.appending("home").string, "WANDER_CATALOGUES": "",
            ], directory: path)
    }

    deinit { try? FileSystem.removeTree(path) }
}
