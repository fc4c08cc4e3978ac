import Glibc
import LinuxSystem
import SystemPackage

private let usageText = """
    usage: wander-log FILE LIMIT [FILE LIMIT]...

    Writes what comes from descriptor 3 to the first FILE, from 4 to the second, and so on, until all of them are closed. A
    FILE that would have more than LIMIT bytes starts anew; what it held is in FILE.old. Started by `wander up`.

    """

/// Writes the data of the inherited descriptors into logs, and ends the process.
func runLogProgram() -> Never {
    InheritedState.makeSane()
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.first == "--help" || arguments.first == "-h" {
        write(usageText, to: 1)
        exit(0)
    }
    guard let wanted = logs(arguments) else {
        write("wander-log: wrong arguments\n\(usageText)", to: 2)
        exit(64)
    }
    ProcessMemory.useOneHeap()
    do throws(SystemError) {
        let keeper = try LogKeeper()
        for (index, log) in wanted.enumerated() {
            try keeper.add(
                OwnedDescriptor(owning: CInt(3 + index)), to: BoundedLog(log.path, limit: log.limit))
        }
        if let unlimited = try Sandbox.enter() { write("wander-log: \(unlimited)\n", to: 2) }
        ProcessMemory.dropStartUpPages()
        try keeper.run()
        exit(0)
    } catch {
        write("wander-log: \(error.summary)\n", to: 2)
        exit(1)
    }
}

/// nil if the arguments are not pairs of a file and a size.
func logs(_ arguments: [String]) -> [(path: FilePath, limit: Int64)]? {
    guard !arguments.isEmpty, arguments.count % 2 == 0 else { return nil }
    var result: [(path: FilePath, limit: Int64)] = []
    for index in stride(from: 0, to: arguments.count, by: 2) {
        guard !arguments[index].isEmpty, let limit = Int64(arguments[index + 1]), limit > 0 else { return nil }
        result.append((FilePath(arguments[index]), limit))
    }
    return result
}

private func write(_ text: String, to descriptor: CInt) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
}
