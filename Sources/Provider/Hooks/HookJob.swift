import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

/// Runs hooks, in the order of the file, until one fails that may not.
struct HookJob {
    let project: Project
    /// Whose hooks they are; nil: the project's.
    let machine: Machine?
    let hooks: [HookDefinition]

    /// - Parameter guest: Gives the guest to those that run there; nil: there is none, and they are left out.
    func run(_ side: HookDefinition.Side, _ verb: HookDefinition.Verb, in guest: (() throws -> any GuestWork)? = nil)
        throws
    {
        for hook in hooks where hook.side == side && hook.verb == verb {
            do {
                try run(hook, guest)
            } catch {
                // What the user stopped is stopped.
                if (error as? any UserFacingError)?.kind == .interrupted { throw error }
                guard hook.onError == .fail else {
                    report(.warning("hook \(hook.name): \(error.inWords)"))
                    continue
                }
                throw error
            }
        }
    }

    private func run(_ hook: HookDefinition, _ guest: (() throws -> any GuestWork)?) throws {
        if hook.place == .guest {
            guard let guest else { return report(.note("hook \(hook.name): the machine does not run")) }
            report(.step("hook \(hook.name)"))
            return try runInGuest(hook, guest)
        }
        report(.step("hook \(hook.name)"))
        var lines = (output: OutputLines(.none), error: OutputLines(.none))
        var last: [String] = []
        func show(_ texts: [String]) {
            for line in texts { report(.output(line)) }
            last = Array((last + texts).suffix(20))
        }
        let ending = try HostScript(project, hook, of: machine).run { stream, bytes in
            switch stream {
            case .output: show(lines.output.add(bytes))
            case .error: show(lines.error.add(bytes))
            }
        }
        show([lines.output.finish(), lines.error.finish()].compactMap(\.self))
        switch ending {
        case .interrupted: throw Interruption()
        case .timedOut: throw failure(hook, .timedOut(seconds: hook.timeout?.components.seconds ?? 0), last)
        case .ended(.exited(0)): break
        case .ended(let outcome): throw failure(hook, .status(outcome.shellStatus), last)
        }
    }

    private func runInGuest(_ hook: HookDefinition, _ reach: () throws -> any GuestWork) throws {
        let guest = try reach()
        defer { guest.close() }
        var action = ShellAction(
            script: .bytes(Array(hook.script.utf8)),
            environment: (machine?.commandEnvironment ?? [:]).merging(
                HostScript.environment(project, machine, hook)
            ) { _, own in own },
            user: hook.user == .root ? "root" : nil, timeout: hook.timeout)
        action.environment["WANDER_PROJECT"] = nil
        let step = ProvisioningStep(name: hook.name, action: .shell(action), when: .always)
        do {
            try guest.run(step) { report(.output($0)) }
        } catch let error as ProvisioningError {
            switch error {
            case .stepFailed(_, let status, _, let lines): throw failure(hook, .status(status), lines)
            case .stepTimedOut(_, let milliseconds, let lines):
                throw failure(hook, .timedOut(seconds: milliseconds / 1000), lines)
            default: throw error
            }
        }
    }

    private func failure(_ hook: HookDefinition, _ reason: HookError.Reason, _ lines: [String]) -> HookError {
        HookError(event: hook.event, isBefore: hook.side == .before, hook: hook.name, reason: reason, lastLines: lines)
    }

    private func report(_ event: Event) { project.events.report(event, about: machine?.name) }
}

/// A script of the Wanderfile's for the host.
struct HostScript {
    private var command: HostCommand
    private let cancellation: Cancellation

    init(_ project: Project, _ hook: HookDefinition, of machine: Machine? = nil) {
        command = HostCommand(Self.words(hook.script, named: hook.name))
        command.directory = project.environment.projectDirectory
        command.environment = Self.environment(project, machine, hook)
        command.milliseconds = hook.timeout?.milliseconds
        cancellation = project.cancellation
    }

    func run(output: (HostCommand.Stream, [UInt8]) -> Void) throws -> HostCommand.Ending {
        try command.run(cancellation: cancellation, output: output)
    }

    /// A program and its arguments that run a script.
    /// - Parameter name: Its `$0`.
    static func words(_ script: String, named name: String) -> [String] {
        guard script.hasPrefix("#!") else { return ["/bin/sh", "-eu", "-c", script, name] }
        let line = script.dropFirst(2).prefix { $0 != "\n" }.split(separator: " ", maxSplits: 1).map(String.init)
        return ["/bin/sh", "-c", interpreted, name, script, line.first ?? "sh", line.count > 1 ? line[1] : ""]
    }

    /// Runs a script by its interpreter, from a file: not every interpreter takes a script as a word.
    private static let interpreted = """
        file=$(mktemp) || exit; trap 'rm -f "$file"' EXIT; printf %s "$1" >"$file"; program=$2 option=$3; shift 3
        if [ -n "$option" ]; then "$program" "$option" "$file" "$@"; else "$program" "$file" "$@"; fi
        """

    static func environment(_ project: Project, _ machine: Machine?, _ hook: HookDefinition) -> [String: String] {
        var values = hook.environment
        values["WANDER_EVENT"] = hook.event
        values["WANDER_ENVIRONMENT"] = project.environment.name
        values["WANDER_PROJECT"] = project.environment.projectDirectory.string
        values["WANDER_MACHINE"] = machine?.name
        return values
    }
}
