public import SystemPackage

extension ChildProcess.Options {
    /// For a process that guests talk to and that lives on after its starter: in a session of its own, with a log for
    /// what it says, and with none of the user's secrets.
    /// - Parameters:
    ///   - log: Gets both outputs. Stays open here.
    ///   - descriptors: What the process gets as 3, 4, ... in this order.
    public static func service(
        log: CInt, in directory: FilePath? = nil, descriptors: [CInt]
    ) -> ChildProcess.Options {
        var options = ChildProcess.Options()
        options.newSession = true
        options.environment = environmentOfConfinedProcess()
        options.directory = directory
        options.output = .descriptor(log)
        options.error = .descriptor(log)
        options.extraDescriptors = descriptors
        return options
    }
}

/// What processes that guests talk to get of it. Its secrets, such as a cloud's keys, are none of theirs: who takes a
/// process over reads its memory.
func environmentOfConfinedProcess(_ all: [String] = currentEnvironment()) -> [String] {
    let names: Set = ["PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "SWIFT_BACKTRACE"]
    return all.filter { variable in
        let name = variable.prefix { $0 != "=" }
        return names.contains(String(name)) || name.hasPrefix("LC_")
    }
}
