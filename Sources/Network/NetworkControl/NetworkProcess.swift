import Glibc
import JSON
public import LinuxSystem
import Reporting
public import SystemPackage

/// Starts `wander-net` and checks whether it runs. The caller holds the project's lock, so that nobody else starts one
/// at the same time.
public enum NetworkProcess {
    /// Whether a process serves the network in `folder`.
    public static func isRunning(folder: FilePath) throws -> Bool {
        guard try FileSystem.exists(NetworkConfiguration.lockFile(in: folder)) else { return false }
        let lock = try OwnedDescriptor.open(NetworkConfiguration.lockFile(in: folder), .readWrite)
        return try OpenFileLock.isHeldElsewhere(lock)
    }

    /// Starts the process unless one runs; returns when its sockets accept connections.
    ///
    /// A process that runs already keeps its settings; machines and forwards of `configuration` that it does not have
    /// are added, none is removed.
    /// - Parameters:
    ///   - program: The path of `wander-net`.
    ///   - starting: Completes the configuration of a process that is about to start.
    /// - Returns: Whether a process was started.
    @discardableResult
    public static func ensureRunning(
        _ configuration: NetworkConfiguration, program: FilePath, milliseconds: Int64 = 10_000,
        cancellation: Cancellation? = nil, starting: (inout NetworkConfiguration) -> Void = { _ in }
    ) throws -> Bool {
        let folder = configuration.folder
        for place in [folder, configuration.run] { try FileSystem.makeDirectory(place, permissions: 0o700) }
        let lock = try OwnedDescriptor.open(
            NetworkConfiguration.lockFile(in: folder), [.readWrite, .create], permissions: 0o600)
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        let patience = Patience(
            until: deadline, first: .milliseconds(20), growing: 1.5, most: .milliseconds(250),
            cancellation: cancellation)
        let runs = try patience.wait(for: "the network's lock") { () -> Patience.Answer<Bool> in
            if try OpenFileLock.tryLock(lock, .exclusive) { return .here(false) }
            do {
                try complete(configuration)
                return .here(true)
            } catch  where MonotonicClock.now < deadline && isGone(error) {
                // An idle process that is just ending still holds the lock; it lets go in a moment.
                return .notYet(because: "\(error)")
            }
        }
        if runs { return false }
        guard !FileSystem.isAbsent(program) else { throw NetworkError.noHelper(program) }
        let wanted = configuration.machines.map(\.name)
        var configuration = configuration
        starting(&configuration)
        configuration.lockDescriptor = 3
        configuration.statusDescriptor = 4
        // What earlier versions kept here.
        for name in ["network.json", "control.sock"] { try FileSystem.remove(folder.appending(name)) }
        // By descriptor, so that what the process is told cannot be changed by a name.
        let file = try OwnedDescriptor.memoryFile(Array(configuration.json.compact.utf8))
        let log = try BoundedLog(NetworkConfiguration.logFile(in: folder), limit: BoundedLog.reportLimit)
        let status = try OwnedDescriptor.pipe()
        let options = ChildProcess.Options.service(
            log: log.rawDescriptor, descriptors: [lock.rawValue, status.write.rawValue, file.rawValue])
        let child = try ChildProcess.start([program.string, "--configuration-descriptor", "5"], options)
        // Only the child may hold the writing end, or its death would go unnoticed.
        let reader = try status.read.duplicate()
        _ = consume status
        var connection = LineConnection(reader)
        guard let line = try connection.receive(milliseconds: milliseconds, cancellation: cancellation) else {
            child.signal(SIGKILL)
            _ = try? child.wait(milliseconds: 5_000)
            throw NetworkError.didNotStart(
                "it ended or did not report within \(milliseconds / 1000) s",
                log: NetworkConfiguration.logFile(in: folder))
        }
        let answer = try JSONParser.parse(line)
        guard answer["started"]?.boolValue == true else {
            // It has said its last.
            _ = try? child.wait(milliseconds: 5_000)
            throw NetworkError(json: answer["error"] ?? .null)
        }
        // One of those that were there before has less than it had; one that was to be added is what the caller came
        // for.
        for failure in answer["failed"]?.arrayValue ?? [] where wanted.contains(failure["machine"]?.stringValue ?? "") {
            throw NetworkError(json: failure["error"] ?? .null)
        }
        return true
    }

    /// Whether an error means that the process ended during a request.
    public static func isGone(_ error: any Error) -> Bool {
        if let error = error as? SystemError {
            return [.noSuchFileOrDirectory, .connectionRefused, .connectionReset, .brokenPipe].contains(error.errno)
        }
        if case NetworkError.noAnswer = error { return true }
        return false
    }

    /// Adds what a running process does not have yet.
    private static func complete(_ configuration: NetworkConfiguration) throws {
        var client = try NetworkClient.connect(folder: configuration.folder)
        for machine in configuration.machines { try client.add(machine) }
        for forward in configuration.forwards { try client.add(forward) }
    }
}
