import BoxFormat
import LinuxSystem
public import NetworkAddress
public import Reporting
import SSH
public import SystemPackage

/// Why a machine could not reach the state that the user wants. The machine's name comes before the message.
public enum ProviderError: UserFacingError {
    case noSuchMachine(String, suggestion: String?)
    case notCreated(machine: String)
    /// Only the state knows it; the Wanderfile does not have it any more.
    case notDefined(machine: String)
    case notRunning(machine: String, state: String)
    /// It runs, and has not answered since its start.
    case notAnswering(machine: String, reason: String)
    case locked(machine: String, holder: CommandLock.Holder?)
    case newerState(path: String, schema: Int64)
    case damagedRecord(path: FilePath, cause: any Error)
    /// A disk is there, and nothing says what it stands on.
    case recordMissing(machine: String, path: FilePath)
    /// Something holds the machine's lock that cannot be asked, and nobody here can tell which process it is.
    case holderUnknown(machine: String, lock: FilePath)
    /// What the store has by that name is not what the machine was made from.
    case boxChanged(machine: String, box: String, wanted: String, actual: String)
    case otherProvider(machine: String, has: ProviderKind, wants: ProviderKind)
    case emulatorMissing
    case monitorMissing(String)
    case kvmNotUsable(reason: String)
    case noProvider(reason: String)
    case startFailed(machine: String, log: String)
    /// wander-vmm's own words.
    case monitorFailed(machine: String, summary: String, detail: String?, remedy: String?, kind: ErrorKind)
    /// Nothing on the machine's disk is there to be started, nor is a kernel beside it.
    case noLoader(machine: String)
    /// Its disk starts by UEFI alone.
    case nothingForBIOS(machine: String)
    /// Firmware of that kind is not installed.
    case firmwareMissing(machine: String, StartMethod.Firmware)
    case noSuchDisk(machine: String, disk: String, names: [String])
    case boxMissing(String, machine: String, source: String?)
    case controlFailed(operation: String, reason: String)
    /// - Parameter firmware: What it was started by; nil if by none.
    case endedDuringBoot(
        machine: String, reason: String?, firmware: StartMethod.Firmware?, console: String, log: String)
    /// It runs, and nothing more comes of it.
    case stuckInBoot(machine: String, reason: String, advice: String, console: String)
    case bootTimeout(machine: String, seconds: Int64, diagnosis: String, advice: String)
    /// The guest greets, and does not take the machine's own key, which it got beside its disk.
    case loginRefused(machine: String, diagnosis: String, advice: String, console: String)
    case stopTimeout(machine: String, seconds: Int64)
    /// - Parameter holder: Who has it; nil if that is not known.
    case portTaken(machine: String, port: UInt16, bind: String, transport: Transport, holder: PortOwner?)
    case several([(machine: String, error: any Error)])

    public var summary: String {
        switch self {
        case .noSuchMachine(let name, _): "there is no machine '\(name)' in the Wanderfile"
        case .notCreated(let machine): "\(machine) does not exist yet"
        case .notDefined(let machine): "the Wanderfile no longer has a machine \(machine)"
        case .notRunning(let machine, let state): "\(machine) is \(state)"
        case .notAnswering(let machine, let reason): "\(machine) is starting and does not answer yet: \(reason)"
        case .locked(let machine, let holder):
            "\(machine) is in use by another command"
                + (holder.map { ": '\($0.command)' (process \($0.process), since \(timestamp($0.since)))" } ?? "")
        case .newerState(let path, let schema): "\(path) was written by a later version of wander (schema \(schema))"
        case .damagedRecord(let path, _): "the record \(path) cannot be read"
        case .recordMissing(let machine, let path): "\(machine) has a disk, but its record \(path) is missing"
        case .holderUnknown(let machine, _): "\(machine) runs, in a process that this command cannot find or reach"
        case .boxChanged(let machine, let box, _, _):
            "the box \(box) in the store is not the one that \(machine) was made from"
        case .otherProvider(let machine, let has, let wants):
            "\(machine) runs on the provider '\(has.rawValue)', not '\(wants.rawValue)'"
        case .emulatorMissing: "the emulation provider needs qemu-system-x86_64, which is not installed"
        case .monitorMissing(let name): "\(name) was not found beside wander"
        case .kvmNotUsable(let reason): "the KVM provider cannot work here: \(reason)"
        case .noProvider(let reason): "this host can run no machine: \(reason)"
        case .startFailed(let machine, _): "\(machine) could not be started"
        case .monitorFailed(let machine, let summary, _, _, _): "\(machine) could not be started: \(summary)"
        case .noLoader(let machine):
            "\(machine) cannot be started: its disk has no boot loader, and its box has no kernel beside the disk"
        case .noSuchDisk(let machine, let disk, _): "\(machine) has no disk '\(disk)'"
        case .nothingForBIOS(let machine):
            "\(machine) cannot be started by a BIOS: its disk has a boot loader for UEFI alone"
        case .firmwareMissing(let machine, let firmware):
            "\(machine) starts by \(firmware.words), and no \(firmware.words) firmware is installed on this host"
        case .boxMissing(let box, let machine, _): "the box \(box), which \(machine) was made from, is not in the store"
        case .controlFailed(let operation, let reason): "\(operation) failed: \(reason)"
        case .endedDuringBoot(let machine, let reason, _, _, _):
            "\(machine) ended while it was starting" + (reason.map { ": \($0)" } ?? "")
        case .stuckInBoot(let machine, let reason, _, _): "\(machine) does not come up: \(reason)"
        case .bootTimeout(let machine, let seconds, let diagnosis, _):
            "\(machine) did not answer within \(seconds) s: \(diagnosis)"
        case .loginRefused(let machine, let diagnosis, _, _): "\(machine) cannot be logged into: \(diagnosis)"
        case .stopTimeout(let machine, let seconds): "\(machine) did not stop within \(seconds) s"
        case .portTaken(let machine, let port, let bind, let transport, let holder):
            "port \(port)/\(transport) on \(bind), which \(machine) forwards, is taken"
                + (holder.map { " by \($0.words)" } ?? "")
        case .several(let failures):
            "\(counted(failures.count, "machine")) failed: \(failures.map(\.machine).joined(separator: ", "))"
        }
    }

    public var detail: String? {
        switch self {
        case .damagedRecord(_, let cause): cause.inWords
        case .holderUnknown(_, let lock): "It holds \(lock)."
        case .boxChanged(_, _, let wanted, let actual): "made from: \(wanted)\nin the store: \(actual)"
        case .startFailed(_, let log): log.isEmpty ? nil : log
        case .loginRefused(_, _, _, let console):
            console.isEmpty ? nil : "Last lines of the console:\n\(console)"
        case .monitorFailed(_, _, let detail, _, _): detail
        case .endedDuringBoot(_, _, _, let console, let log):
            (console.isEmpty ? "The console is empty." : "Last lines of the console:\n\(console)")
                + (log.isEmpty ? "" : "\nThe machine's process said:\n\(log)")
        case .stuckInBoot(_, _, _, let console): "Last lines of the console:\n\(console)"
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .noSuchMachine(_, let suggestion):
            suggestion.map { "Did you mean '\($0)'?" } ?? "'wander status' lists the machines."
        case .notCreated(let machine): "Create and start it: wander up \(machine)"
        case .notDefined(let machine): "Remove what is left of it: wander destroy \(machine)"
        case .notRunning(let machine, let state):
            state == "paused" ? "wander resume \(machine)" : "wander up \(machine)"
        case .notAnswering(let machine, _):
            "Wait for it: wander up \(machine). See what it does: wander console \(machine)"
        case .locked: "Wait for it to end, or use --wait to wait here."
        case .newerState: "Use that version, or remove the machine with it first."
        case .damagedRecord(let path, _):
            "Restore the file, or give the machine up: wander destroy \(path.removingLastComponent().lastComponent?.string ?? "")"
        case .recordMissing(let machine, _):
            "Restore the file, or give the machine with its disk up: wander destroy \(machine)"
        case .holderUnknown(_, let lock):
            "Stop it where it was started (another user, container or host), or find the process: sudo fuser -v \(lock)"
        case .boxChanged(let machine, let box, _, _):
            "Put the box that it was made from back ('wander box add --force FILE'), or make the machine again from \(box): "
                + "wander destroy \(machine) && wander up \(machine)"
        case .otherProvider(let machine, _, _):
            "Leave --provider out, or: wander destroy \(machine) && wander up \(machine)"
        case .emulatorMissing: "sudo apt-get install qemu-system-x86"
        case .monitorMissing: "Install wander's executables together, or build it: make"
        case .kvmNotUsable: "'wander doctor' explains; '--provider emulation' works without KVM."
        case .noProvider: "sudo apt-get install qemu-system-x86, or see 'wander doctor'."
        case .endedDuringBoot(let machine, _, let firmware?, _, _):
            "See 'wander logs \(machine) --console'. If its disk starts by \(firmware.other.words): "
                + "'firmware: \(firmware.other.rawValue)' in the Wanderfile."
        case .startFailed(let machine, _), .endedDuringBoot(let machine, _, nil, _, _):
            "See 'wander logs \(machine)' and 'wander doctor'."
        case .controlFailed: nil
        case .monitorFailed(_, _, _, let remedy, _): remedy
        case .noSuchDisk(let machine, _, let names):
            "It has \(names.map { "'\(machine):\($0)'" }.joined(separator: ", "))."
        case .nothingForBIOS: "Take 'firmware: bios' out of the Wanderfile."
        case .noLoader: "Use another box, or make this one anew from a disk that boots."
        case .firmwareMissing(_, let firmware): "sudo apt-get install \(FirmwareFile.package(firmware))"
        case .boxMissing(let box, _, let source):
            source.map { "Add it: wander box add \(Self.nameAndVersion(of: box)) \(ShellQuoting.quote($0))" }
                ?? BoxAdvice.text(for: box)
        case .stuckInBoot(let machine, _, let advice, _):
            "\(advice)\nIt keeps running: look inside with 'wander console \(machine)'."
        case .bootTimeout(_, _, _, let advice), .loginRefused(_, _, let advice, _): advice
        case .stopTimeout(let machine, _): "wander halt --force \(machine)"
        case .portTaken(_, _, _, _, let holder):
            (holder?.remedy.map { "\($0)\nOr choose" } ?? "Choose")
                + " another host port; 'on_conflict: next' in the Wanderfile takes the next free one."
        // Each has said its own.
        case .several: nil
        }
    }

    /// As arguments: a box whose file does not say its version gets the one that it had.
    private static func nameAndVersion(of box: String) -> String {
        let words = box.split(separator: " ")
        return words.count > 1 ? "\(words[0]) --box-version \(words[1])" : box
    }

    public var kind: ErrorKind {
        switch self {
        case .noSuchMachine, .notCreated, .notDefined, .boxMissing: .notFound
        case .monitorFailed(_, _, _, _, let kind): kind
        case .notRunning, .notAnswering, .locked, .otherProvider: .wrongState
        case .newerState, .damagedRecord, .recordMissing, .holderUnknown: .wrongState
        case .boxChanged: .digestMismatch
        case .emulatorMissing, .monitorMissing, .kvmNotUsable, .firmwareMissing, .noProvider, .portTaken: .hostNotAble
        case .bootTimeout, .loginRefused, .stopTimeout: .timeout
        case .several(let failures):
            // The kind that all share, or a plain failure.
            Set(failures.map { ($0.error as? any UserFacingError)?.kind ?? .failure }).count == 1
                ? (failures.first?.error as? any UserFacingError)?.kind ?? .failure : .failure
        default: .failure
        }
    }

    public var cause: (any Error)? {
        switch self {
        case .damagedRecord(_, let cause): cause
        case .several(let failures): failures.first?.error
        default: nil
        }
    }
}
