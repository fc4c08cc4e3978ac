import LinuxSystem
import MonitorControl
import SystemPackage
import VMM

/// The folders that the monitor still uses once its disks and sockets are open.
extension MonitorConfiguration {
    /// Confines the process to what running the machine takes from then on.
    /// - Returns: What this kernel cannot limit; nil if everything is.
    func confine() throws(SystemError) -> String? {
        try Confinement.confineProcess(
            readable: readableFolders, writable: writableFolders, served: servedFolders, servesFiles: !shares.isEmpty)
    }

    /// A guest that starts anew has its kernel read again. The folders, not the files: a kernel may have been replaced.
    var readableFolders: [FilePath] {
        startFolders + shares.filter(\.isReadOnly).map(\.path)
    }

    private var startFolders: [FilePath] {
        switch start {
        case .kernel(let kernel):
            ([kernel.path] + [kernel.initialRAMDisk].compactMap { $0 }).map(Self.folder)
                + [kernel.cache].compactMap { $0 }
        // Read before this, once.
        case .firmware: []
        }
    }

    /// What the guest has as file systems of its own.
    var servedFolders: [FilePath] { shares.filter { !$0.isReadOnly }.map(\.path) }

    /// For the console's log, the control socket and the end record.
    var writableFolders: [FilePath] { [consoleLog, controlSocket, endRecord].compactMap { $0 }.map(Self.folder) }

    private static func folder(of file: FilePath) -> FilePath {
        let folder = file.removingLastComponent()
        return folder.isEmpty ? "." : folder
    }
}
