public import SystemPackage

/// Where the user of this process keeps programs' files (XDG Base Directory Specification). A relative path in a
/// variable is ignored, as the specification says.
///
/// Each is nil where neither its variable nor a home folder is known.
public enum UserFolders {
    /// What may be lost.
    public static var cache: FilePath? { folder("XDG_CACHE_HOME", or: ".cache") }
    public static var configuration: FilePath? { folder("XDG_CONFIG_HOME", or: ".config") }
    public static var data: FilePath? { folder("XDG_DATA_HOME", or: ".local/share") }
    /// What is derived from the user's work, but not to be lost.
    public static var state: FilePath? { folder("XDG_STATE_HOME", or: ".local/state") }
    /// Made by the system for a session, of the user's own; there is no usual place.
    public static var runtime: FilePath? { absolute("XDG_RUNTIME_DIR", environmentVariable) }

    /// - Parameter usual: Below the home folder.
    static func folder(
        _ variable: String, or usual: FilePath, in environment: (String) -> String? = environmentVariable,
        home: @autoclosure () -> FilePath? = HomeFolder.path
    ) -> FilePath? {
        absolute(variable, environment) ?? home()?.pushing(usual)
    }

    private static func absolute(_ variable: String, _ environment: (String) -> String?) -> FilePath? {
        environment(variable).flatMap { $0.hasPrefix("/") ? FilePath($0) : nil }
    }
}
