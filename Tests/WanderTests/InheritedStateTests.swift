import Glibc
import LinuxSystem
import SystemPackage
import Testing

/// What each executable makes of a state that only a careless or hostile parent leaves behind.
@Suite struct InheritedStateTests {
    /// Each waits: while it opens its configuration, a named pipe that nobody writes to, or for a lock. By then all
    /// must be sane.
    static let programs = [
        ["wander", "up", "--wait", "600"], ["wander-net", "--configuration", "pipe"],
        ["wander-vmm", "--configuration", "pipe"],
    ]

    @Test("closed descriptors, signals ignored and blocked, a umask of 0777", arguments: programs)
    func everything(program: [String]) throws {
        let folder = try ProjectFolder(wanderfile: "box: team/base\n")
        #expect(mkfifo(folder.path.appending("pipe").string, 0o600) == 0)
        try FileSystem.makeDirectory(folder.path.pushing(".wander/locks"))
        let lock = try OwnedDescriptor.open(folder.path.pushing(".wander/locks/default.lock"), [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        let executable = try WanderProcess.executable().removingLastComponent().appending(program[0]).string
        let child = try ChildProcess.start(
            [
                "/bin/sh", "-c", "umask 0777; trap '' CHLD PIPE HUP; exec \"$@\" <&- >&- 2>&-", "sh", "env",
                "--block-signal=TERM,CHLD,ALRM", "--ignore-signal=CHLD,ALRM", executable,
            ] + program.dropFirst(), folder.wander.options)
        defer {
            child.signal(SIGKILL)
            _ = try? child.wait()
        }
        let process = "/proc/\(child.identifier)"
        try waitUntil { Self.isSane(process) }
        for descriptor in 0...2 {
            #expect(try FileSystem.resolve(FilePath("\(process)/fd/\(descriptor)")) == "/dev/null", "\(descriptor)")
        }
        try check(process)
        lock.close()
    }

    /// Programs without a configuration to wait for, and what else they are told.
    static let servants = [
        ["wander-share", "--tag", "a", "--folder", ".", "--socket-descriptor", "3"], ["wander-log", "log", "4096"],
    ]

    @Test("those that have no configuration to wait for", arguments: servants)
    func servant(program: [String]) throws {
        let folder = try ProjectFolder()
        var ends: [CInt] = [-1, -1]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        var options = folder.wander.options
        options.extraDescriptors = [ends[1]]
        let executable = try WanderProcess.executable().removingLastComponent().appending(program[0]).string
        let child = try ChildProcess.start(
            [
                "/bin/sh", "-c", "umask 0777; trap '' CHLD PIPE HUP; exec \"$@\" <&- >&- 2>&-", "sh", "env",
                "--block-signal=TERM,CHLD,ALRM", "--ignore-signal=CHLD,ALRM", executable,
            ] + program.dropFirst(), options)
        defer {
            child.signal(SIGKILL)
            _ = try? child.wait()
        }
        let process = "/proc/\(child.identifier)"
        try waitUntil { Self.isSane(process) }
        try check(process)
    }

    /// What is done last is done: nothing is blocked but what the program itself waits for (HUP, INT, TERM).
    private static func isSane(_ process: String) -> Bool {
        mask(process, "SigBlk") & ~0x4003 == 0 && status(process)["Umask"] == "0077"
    }

    private func check(_ process: String) throws {
        let ignored = Self.mask(process, "SigIgn")
        func has(_ number: CInt) -> Bool { ignored & (1 << UInt64(number - 1)) != 0 }
        #expect(!has(SIGCHLD) && !has(SIGALRM))
        // A failed write is told; nohup(1) holds.
        #expect(has(SIGPIPE) && has(SIGXFSZ) && has(SIGHUP))
    }

    private static func status(_ process: String) -> [String: String] {
        let text = (try? FileSystem.read(FilePath("\(process)/status"), limit: 1 << 16)) ?? []
        var fields: [String: String] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(
                line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " })
        }
        return fields
    }

    private static func mask(_ process: String, _ name: String) -> UInt64 {
        status(process)[name].flatMap { UInt64($0, radix: 16) } ?? .max
    }

    private func waitUntil(_ condition: () -> Bool) throws {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 20_000)
        while !condition() {
            try #require(MonotonicClock.now < deadline, "the state never came")
            usleep(10_000)
        }
    }

    @Test("without HOME, or with one that is no path, the home folder is what the list of users says")
    func home() throws {
        let folder = try ProjectFolder(wanderfile: "box: tiny\nmessage: \"${host.home}\"\n")
        let expected = try #require(HomeFolder.path)
        for value in [nil, "", "here"] as [String?] {
            var options = folder.wander.options
            options.environment = (value.map { ["HOME=\($0)"] } ?? []) + ["PATH=/usr/bin:/bin"]
            func run(_ words: String...) throws -> (status: Int32, output: String, error: String) {
                let result = try ChildProcess.run([WanderProcess.executable().string] + words, options)
                return (
                    result.outcome.shellStatus, String(decoding: result.output, as: UTF8.self),
                    String(decoding: result.error, as: UTF8.self)
                )
            }
            for words in [["status", "--all"], ["box", "list"], ["box", "outdated"], ["halt"]] {
                let result =
                    try words.count == 2 ? run(words[0], words[1]) : run(words[0])
                #expect(!result.error.contains("home folder"), "\(words) with HOME \(value ?? "unset")")
                #expect(result.status == 0 || words == ["box", "outdated"], "\(words): \(result.error)")
            }
            let config = try run("config", "--json").output
            #expect(config.contains("\"\(expected)\"") || config.contains("\"\(environmentVariable("HOME") ?? "")\""))
        }
    }
}
