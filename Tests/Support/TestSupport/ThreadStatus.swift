import Glibc
import LinuxSystem
import SystemPackage

/// A thread of a process as proc(5) shows it from outside.
public struct ThreadStatus: Sendable {
    public let identifier: CInt
    public let name: String
    /// How many system call filters (seccomp(2)) there are on it.
    public let filterCount: Int
    /// Whether programs that it starts gain no privileges, and a filter is on.
    public let isConfined: Bool

    /// The threads of a process, its first one first, but for those that run the kernel's code alone: KVM has one in each
    /// process that runs machines.
    public static func all(of process: CInt) throws -> [ThreadStatus] {
        let tasks = FilePath("/proc/\(process)/task")
        return try FileSystem.list(tasks).compactMap { CInt($0) }.sorted().map { identifier in
            let file = tasks.appending("\(identifier)").appending("status")
            let text = String(decoding: try FileSystem.read(file, limit: 1 << 16), as: UTF8.self)
            func value(_ key: String) -> String {
                let line = text.split(separator: "\n").first { $0.hasPrefix("\(key):\t") }
                return line.map { String($0.dropFirst(key.utf8.count + 2)) } ?? ""
            }
            return ThreadStatus(
                identifier: identifier, name: value("Name"), filterCount: Int(value("Seccomp_filters")) ?? 0,
                isConfined: value("Seccomp") == "2" && value("NoNewPrivs") == "1")
        }.filter { !$0.name.hasPrefix("kvm-") }
    }

    /// The same as soon as there is a thread of each name: a new one has its maker's until it runs.
    public static func all(of process: CInt, named names: Set<String>) throws -> [ThreadStatus] {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        while true {
            let threads = try all(of: process)
            if names.isSubset(of: threads.map(\.name)) { return threads }
            guard MonotonicClock.now < deadline else {
                throw SystemError("see the threads of process \(process)", nil, .timedOut)
            }
            usleep(10_000)
        }
    }
}
