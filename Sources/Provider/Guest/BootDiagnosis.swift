import LinuxSystem
import MonitorControl
import NetworkControl
import Reporting
import SSH

/// What kept a machine from answering, layer by layer: process, console, DHCP, port, greeting, login.
struct BootDiagnosis {
    let machine: Machine
    let record: MachineRecord

    init(_ machine: Machine, _ record: MachineRecord) {
        self.machine = machine
        self.record = record
    }

    func explain(_ error: SSHError) -> any Error {
        let (name, folder) = (machine.name, machine.folder)
        switch error {
        case .interrupted: return Interruption()
        case .machineEnded:
            return ProviderError.endedDuringBoot(
                machine: name, reason: endReason,
                firmware: record.start.flatMap(StartMethod.Firmware.init),
                console: LogTail.lines(folder.consoleLog, count: 15), log: LogTail.lines(folder.monitorLog, count: 8))
        case .notReady(let reached, let last, let milliseconds):
            let status = try? NetworkPlace(machine: machine).status()
            if let stuck = StuckBoot(machine) {
                return ProviderError.stuckInBoot(
                    machine: name, reason: stuck.reason, advice: stuck.advice,
                    console: LogTail.lines(folder.consoleLog, count: 15))
            }
            let console = LogTail.lines(folder.consoleLog, count: 15)
            var diagnosis: String
            var advice: String
            switch reached {
            case .connection where console.isEmpty:
                diagnosis = "its console is silent, so the kernel has not started or does not write to ttyS0"
                advice = "Does the box fit this provider? Its kernel needs console=ttyS0 and virtio drivers."
            case .connection where status?.connected == false:
                diagnosis = "its network card was never connected"
                advice = "See 'wander logs --monitor' and 'wander doctor'."
            case .connection where status?.leased == false:
                diagnosis = "the guest has asked for no address by DHCP"
                advice = """
                    The guest must use DHCP on its first network card. Its settings may name another machine's card, as \
                    ens5 or eth0: match the card by its driver, virtio_net. Look inside: wander console \(name)
                    """
            case .connection:
                diagnosis = "it has an address, but nothing listens on its port 22"
                advice = "Is an SSH server installed and started in the box?"
            case .banner, .keyExchange:
                diagnosis = "port 22 is open, but no SSH server greets"
                advice = "The server is slow, or hangs. See what the guest does: wander console \(name)"
            default: (diagnosis, advice) = refusal
            }
            if let last { diagnosis += " (\(last.summary))" }
            if machine.hasShownLife() {
                advice +=
                    "\nThe machine keeps running: 'wander up \(name)' waits for it again, for as long as boot_timeout says."
            }
            if !console.isEmpty { advice += "\nLast lines of the console:\n\(console)" }
            return ProviderError.bootTimeout(
                machine: name, seconds: milliseconds / 1000, diagnosis: diagnosis, advice: advice)
        case .authenticationRefused where record.seed == .login:
            return ProviderError.loginRefused(
                machine: machine.name, diagnosis: refusal.diagnosis, advice: refusal.advice,
                console: LogTail.lines(machine.folder.consoleLog, count: 15))
        default: return error
        }
    }

    /// Why a guest that greets refuses the login.
    private var refusal: (diagnosis: String, advice: String) {
        guard record.seed == .login else {
            return (
                "the SSH server refuses the login of '\(record.user)'",
                "Is that the box's user? Set 'user' in the Wanderfile. The box must accept a well-known Vagrant key."
            )
        }
        return (
            "the SSH server refuses the login of '\(record.user)', whose key is on the disk for cloud-init: nothing in "
                + "the guest has taken it",
            "Has the image cloud-init, with NoCloud among its data sources, and does it do its work? See what it does: "
                + "wander console \(machine.name). Does 'cloud_init' name another user? Set 'user' in the Wanderfile."
        )
    }

    /// Why the monitor ended the machine; nil if the guest did, or nobody knows.
    private var endReason: String? {
        guard record.provider == .kvm, let end = MonitorEnd.read(from: machine.folder.endRecord) else { return nil }
        return end.detail
    }
}
