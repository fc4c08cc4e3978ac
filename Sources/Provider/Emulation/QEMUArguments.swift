import DiskImage
import JSON
import NetworkAddress
import SystemPackage

/// The command line of `qemu-system-x86_64` for a machine: the same virtio devices that wander-vmm has. It runs in the
/// machine's folder, where files have short names without commas, at which QEMU's option parser would split them.
struct QEMUArguments {
    /// The descriptors that QEMU inherits.
    static let lockDescriptor = 3
    static let controlDescriptor = 4
    /// The first share's; the others follow, and then what the guest's console shows goes to, for the log.
    static let firstShareDescriptor = 5

    /// - Parameter hasSandbox: Whether this QEMU can limit its own system calls.
    static func make(_ plan: LaunchPlan, program: String, hasSandbox: Bool = true) -> [String] {
        let whenFull = plan.waitsForRoom ? "enospc" : "report"
        var arguments = [
            program, "-name", plan.name, "-nodefaults", "-no-user-config", "-display", "none",
            "-machine",
            "q35,usb=off,vmport=off,smbus=off,sata=off,graphics=off,dump-guest-core=off"
                + (plan.shares.isEmpty ? "" : ",memory-backend=memory"),
            "-accel", "tcg,thread=multi,tb-size=\(plan.translationCache >> 20)",
            "-cpu", plan.emulatedProcessor,
            "-smp", "\(plan.processors)", "-m", "\(plan.memory >> 20)M",
            "-chardev", "socket,id=control,fd=\(controlDescriptor),server=on,wait=off",
            "-mon", "chardev=control,mode=control",
            // Whoever connects sees what comes from then on and may type; the log has all of it, by a pipe to
            // wander-log.
            "-add-fd", "fd=\(firstShareDescriptor + plan.shares.count),set=1",
            "-chardev", "socket,id=console,path=run/serial.sock,server=on,wait=off,logfile=/dev/fdset/1,logappend=on",
            "-serial", "chardev:console",
            "-object", "rng-random,id=entropy,filename=/dev/urandom",
            "-device", "virtio-rng-pci,rng=entropy",
            "-device", "virtio-balloon-pci,free-page-reporting=on",
        ]
        for (index, disk) in plan.disks.enumerated() {
            let node = index == 0 ? "disk" : "disk\(index)"
            let place = index == 0 ? "serial=root,bootindex=1" : "serial=\(node)"
            arguments += [
                "-blockdev", layers(of: disk, as: node).compact,
                "-device", "virtio-blk-pci,drive=\(node),\(place),werror=\(whenFull)",
            ]
        }
        if hasSandbox { arguments += ["-sandbox", EmulatorLimits.sandbox] }
        for (index, disk) in plan.extraDisks.enumerated() {
            let node: JSONValue = [
                "driver": .string(disk.format.rawValue), "node-name": .string("extra\(index)"),
                "read-only": .bool(disk.isReadOnly),
                "file": [
                    "driver": "file", "filename": .string(disk.path.string), "read-only": .bool(disk.isReadOnly),
                ],
            ]
            arguments += [
                "-blockdev", node.compact, "-device", "virtio-blk-pci,drive=extra\(index),werror=\(whenFull)",
            ]
        }
        arguments += shares(plan)
        if let address = plan.hardwareAddress {
            // Datagrams survive a restart of the network; QEMU 7.2's stream cannot reconnect.
            arguments += [
                "-netdev",
                "dgram,id=network,local.type=unix,local.path=run/net.sock.peer,remote.type=unix,"
                    + "remote.path=run/net.sock",
                "-device",
                "virtio-net-pci,netdev=network,mac=\(address),host_mtu=\(EthernetFrame.largestPacket),romfile=",
            ]
        }
        switch plan.start {
        case .kernel(let kernel, let initrd, let line):
            arguments += ["-kernel", kernel.string, "-append", commandLine(line)]
            if let initrd { arguments += ["-initrd", initrd.string] }
        // Its own.
        case .firmware(.bios): break
        case .firmware(.uefi): if let file = FirmwareFile.path(.uefi) { arguments += ["-bios", file.string] }
        }
        return arguments
    }

    /// Shares are served by processes of their own, which see the guest's memory: it must be one that can be passed on.
    private static func shares(_ plan: LaunchPlan) -> [String] {
        guard !plan.shares.isEmpty else { return [] }
        var arguments = ["-object", "memory-backend-memfd,id=memory,size=\(plan.memory),share=on"]
        for (index, share) in plan.shares.enumerated() {
            arguments += [
                "-chardev", "socket,id=share\(index),fd=\(firstShareDescriptor + index)",
                "-device", "vhost-user-fs-pci,chardev=share\(index),tag=\(share.tag),queue-size=512",
            ]
        }
        return arguments
    }

    /// A disk with every backing image named, so that QEMU opens nothing because an image says so.
    private static func layers(of disk: LaunchPlan.LayeredDisk, as name: String) -> JSONValue {
        func node(_ disk: LaunchPlan.Disk, readOnly: Bool, backing: JSONValue?) -> [JSONMember] {
            var members = [
                JSONMember("driver", .string(disk.format.rawValue)), JSONMember("read-only", .bool(readOnly)),
                JSONMember(
                    "file",
                    [
                        "driver": "file", "filename": .string(disk.path.string), "read-only": .bool(readOnly),
                        "discard": readOnly ? "ignore" : "unmap",
                    ]),
            ]
            if disk.format == .qcow2 { members.append(JSONMember("backing", backing ?? .null)) }
            return members
        }
        var chain: JSONValue?
        for below in disk.backing.reversed() { chain = .object(node(below, readOnly: true, backing: chain)) }
        let overlay = node(disk.top, readOnly: false, backing: chain)
        return .object(
            [
                JSONMember("node-name", .string(name)), JSONMember("discard", "unmap"),
                JSONMember("detect-zeroes", "unmap"),
            ]
                + overlay)
    }

    /// The kernel's command line. At its start Linux counts ticks of a timer for a moment, and panics where none came:
    /// a busy host may give an emulated machine no turn for as long. Under hypervisors that it knows it leaves that out
    /// by itself.
    private static func commandLine(_ line: String?) -> String {
        let option = "no_timer_check"
        guard let line else { return option }
        // What is after `--` is the first program's.
        return line.contains(option) ? line : "\(option) \(line)"
    }
}
