import Glibc
import LinuxSystem
import MonitorControl
import SystemPackage
import TestSupport

/// A machine's folder as wander makes it, beside another machine's and the user's own files.
struct MonitorPlace {
    let folder: TemporaryFolder
    var configuration: MonitorConfiguration
    var doors: Doors

    init(servesFiles: Bool, kernel: [UInt8] = []) throws {
        folder = try TemporaryFolder()
        doors = Doors(listener: folder("other.sock"))
        doors.servesFiles = servesFiles
        var protected = ["record.json", "monitor.json", "disk.qcow2", "id_ed25519", "monitor.log"].map { "web/\($0)" }
        protected += ["db/record.json", "db/disk.qcow2", "db/run/console.log", "cache/kernel.elf", "home/.bashrc"]
        for name in protected { doors.protected.append(try folder.file(name)) }
        doors.secret = [folder("web/id_ed25519"), folder("db/disk.qcow2"), folder("home/.bashrc")]
        _ = try folder.file("web/run/console.log")
        _ = try folder.file("share/file")
        configuration = MonitorConfiguration(
            name: "web", memory: 32 << 20, processors: 1,
            start: .kernel(.init(try folder.file("box/kernel", kernel), commandLine: "", cache: folder("cache"))))
        configuration.consoleLog = folder("web/run/console.log")
        configuration.controlSocket = folder("web/run/control.sock")
        configuration.endRecord = folder("web/run/end.json")
        if servesFiles { configuration.shares = [.init(tag: "share", path: folder("share"))] }
    }
}
