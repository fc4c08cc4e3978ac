public import Reporting

/// Why a folder of the host is not in a machine. The machine itself is left as it is.
public enum ShareError: UserFacingError, Equatable {
    case folderMissing(host: String, guest: String)
    case notAFolder(host: String)
    /// It lies in a project's `.wander`.
    case holdsState(host: String)
    /// The host's folder cannot be looked into.
    case notReadable(host: String, reason: String)
    /// What the Wanderfile names as a part of a share that a guest may write to leads elsewhere, by a link on the way.
    case leadsOut(host: String, share: String)
    case noUser(machine: String, user: String)
    /// The login user's keys would be hidden.
    case hidesHome(machine: String, guest: String, user: String)
    case noPlace(machine: String, guest: String, reason: String)
    /// The guest's kernel has no driver.
    case noDriver(machine: String, kernel: String)
    case mountFailed(machine: String, guest: String, reason: String)
    /// The guest's answer is not one.
    case broken(machine: String, reason: String)

    public var summary: String {
        switch self {
        case .folderMissing(let host, _): "the folder \(host) to share is not there"
        case .notAFolder(let host): "\(host), to be shared, is not a folder"
        case .holdsState(let host): "\(host) cannot be shared: machines are kept in it, with their disks and keys"
        case .notReadable(let host, let reason): "the folder \(host) cannot be shared: \(reason)"
        case .leadsOut(let host, let share):
            "\(host) is inside \(share), which a guest can write to, but a symbolic link takes it outside"
        case .noUser(let machine, let user):
            "the shares of \(machine) have no owner: there is no user '\(user)' in the guest"
        case .hidesHome(let machine, let guest, let user):
            "the share '\(guest)' of \(machine) would hide the keys by which '\(user)' logs in"
        case .noPlace(let machine, let guest, _): "the folder '\(guest)' for a share cannot be made in \(machine)"
        case .noDriver(let machine, let kernel):
            "\(machine) cannot mount its shares: its kernel\(kernel.isEmpty ? "" : " \(kernel)") has no virtiofs"
        case .mountFailed(let machine, let guest, _): "the share '\(guest)' could not be mounted in \(machine)"
        case .broken(let machine, _): "the shares of \(machine) could not be mounted"
        }
    }

    public var detail: String? {
        switch self {
        case .noPlace(_, _, let reason), .mountFailed(_, _, let reason), .broken(_, let reason):
            reason.isEmpty ? nil : "the guest said: \(reason)"
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .folderMissing(let host, let guest):
            "Make it, or let wander do so: { host: \(host), guest: \(guest), create: true }"
        case .notAFolder: "A share takes a folder; 'files' copies files."
        case .holdsState: "Share the folder that contains '.wander': wander hides that from the guest."
        case .notReadable: "Give yourself read and search permission on it, or share another folder."
        case .leadsOut: "A guest may have put the link there. If it is yours, name in the Wanderfile what it leads to."
        case .noUser: "Set 'user' in the Wanderfile to one that the box has."
        case .hidesHome: "Choose a folder below the home folder, or elsewhere, such as '/project'."
        case .noPlace:
            "Choose another place, or make it there: a share inside a read-only share needs its folder."
        case .noDriver(let machine, _):
            "Install a kernel with CONFIG_VIRTIO_FS in the guest (Debian 11, Ubuntu 20.04, RHEL 8.4 or later have one) and "
                + "'wander reload \(machine)', or take 'shares' out and copy by 'files' or 'wander upload'."
        case .mountFailed(let machine, _, _), .broken(let machine, _):
            "The machine is left as it is. Look at it with 'wander ssh' and 'wander logs --monitor \(machine)', then run "
                + "'wander up \(machine)' again."
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .folderMissing, .notAFolder, .holdsState: .invalidConfiguration
        case .notReadable: .hostNotAble
        case .leadsOut: .refused
        default: .provisioningFailed
        }
    }
}
