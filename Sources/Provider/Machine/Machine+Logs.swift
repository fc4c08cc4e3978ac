import LinuxSystem
public import SystemPackage

extension Machine {
    public enum Log: Sendable { case console, monitor, provisioning }

    /// Where a log is. A machine that failed and was removed leaves its logs behind.
    public func log(_ log: Log) -> FilePath {
        let path =
            switch log {
            case .console: folder.consoleLog
            case .monitor: folder.monitorLog
            case .provisioning: folder.provisionLog
            }
        guard FileSystem.isAbsent(path), let name = path.lastComponent else { return path }
        let left = project.layout.failedLogs(of: self.name).appending(name)
        return FileSystem.isAbsent(left) ? path : left
    }
}
