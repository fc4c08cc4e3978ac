import Glibc
public import SystemPackage

/// Where the user of this process keeps files.
public enum HomeFolder {
    /// `HOME`, if it is an absolute path; else what the system's list of users says, as for a service or `env -i`. nil
    /// if neither knows.
    public static var path: FilePath? {
        if let home = environmentVariable("HOME"), home.hasPrefix("/") { return FilePath(home) }
        let user = getuid()
        if let bytes = try? FileSystem.read("/etc/passwd", limit: 16 << 20),
            let home = find(user, in: String(decoding: bytes, as: UTF8.self))
        {
            return home
        }
        // Users of a directory service are in no file. getpwuid(3) would load libraries into static executables.
        guard findExecutable("getent") != nil,
            let answer = try? ChildProcess.run(["getent", "passwd", "\(user)"], limit: 1 << 16)
        else { return nil }
        return find(user, in: String(decoding: answer.output, as: UTF8.self))
    }

    /// Gives this process, and so its children, a `HOME` where it has none and the system knows one.
    public static func completeEnvironment() {
        if let home = environmentVariable("HOME"), home.hasPrefix("/") { return }
        guard let path else { return }
        unsafe setenv("HOME", path.string, 1)
    }

    /// The home folder in lines of passwd(5).
    static func find(_ user: UInt32, in lines: String) -> FilePath? {
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 6, UInt32(fields[2]) == user, fields[5].hasPrefix("/") else { continue }
            return FilePath(String(fields[5]))
        }
        return nil
    }
}
