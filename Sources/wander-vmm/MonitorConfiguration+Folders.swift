import LinuxSystem
import MonitorControl
import SystemPackage

/// Which folders the monitor still goes to once its disks and sockets are open.
extension MonitorConfiguration {
    /// A guest that starts anew has its kernel read again. The folders, not the files: a kernel may have been replaced.
    var readableFolders: [FilePath] {
        ([kernel] + [initialRAMDisk].compactMap { $0 }).map(Self.folder) + shares.filter(\.isReadOnly).map(\.path)
    }

    /// What the guest has as file systems of its own.
    var servedFolders: [FilePath] { shares.filter { !$0.isReadOnly }.map(\.path) }

    /// For the unpacked kernel, the console's log, the control socket and the end record.
    var writableFolders: [FilePath] {
        var folders = [consoleLog, controlSocket, endRecord].compactMap { $0 }.map(Self.folder)
        if let kernelCache {
            // A rule needs a folder that exists.
            try? FileSystem.makeDirectory(kernelCache, permissions: 0o700)
            folders.append(kernelCache)
        }
        return folders
    }

    private static func folder(of file: FilePath) -> FilePath {
        let folder = file.removingLastComponent()
        return folder.isEmpty ? "." : folder
    }
}
