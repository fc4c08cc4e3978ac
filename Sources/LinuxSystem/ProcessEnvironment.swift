import CLinux
import Glibc

/// The value of an environment variable; nil if unset.
public func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// Every `NAME=value` of this process.
public func currentEnvironment() -> [String] {
    var result: [String] = []
    guard var entry = unsafe linux_environment() else { return [] }
    while let text = unsafe entry.pointee {
        unsafe result.append(String(cString: text))
        unsafe entry += 1
    }
    return result
}

/// What processes that guests talk to get of it. Its secrets, such as a cloud's keys, are none of theirs: who takes a
/// process over reads its memory.
public func environmentOfConfinedProcess(_ all: [String] = currentEnvironment()) -> [String] {
    let names: Set = ["PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "SWIFT_BACKTRACE"]
    return all.filter { variable in
        let name = variable.prefix { $0 != "=" }
        return names.contains(String(name)) || name.hasPrefix("LC_")
    }
}

/// The first executable called `name` in PATH.
public func findExecutable(_ name: String) -> String? {
    for folder in (environmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
        let path = "\(folder)/\(name)"
        if unsafe access(path, X_OK) == 0 { return path }
    }
    return nil
}

public func currentProcessIdentifier() -> Int32 { getpid() }
public func currentUserIdentifier() -> UInt32 { getuid() }
