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

/// The first executable called `name` in PATH.
public func findExecutable(_ name: String) -> String? {
    for folder in (environmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
        let path = "\(folder)/\(name)"
        if unsafe access(path, X_OK) == 0 { return path }
    }
    return nil
}

public func currentProcessIdentifier() -> Int32 { getpid() }
