import BoxFormat
import LinuxSystem
import Reporting
import SSH
import SystemPackage

extension Machine {
    private var bootFolder: FilePath { folder.path.appending("boot") }

    /// How the machine's guest starts without its boot loader: by what its box brings, or else by what the guest itself
    /// has handed out; nil if there is neither.
    func directBoot(_ box: Box) -> DirectBoot? { DirectBoot(of: box) ?? DirectBoot(handedOutTo: bootFolder) }

    /// Makes sure that the guest of a box without a kernel can be told what to do: a guest that runs hands out the
    /// kernel and the initial RAM disk that it was started with, whatever its boot loader and its file systems are.
    /// - Parameter silence: How long the guest may send nothing of it, in milliseconds.
    /// - Throws: ``PackageError/noKernel(machine:reason:)`` if it does not run and has not done so before.
    func obtainKernel(_ record: MachineRecord, _ box: Box, silence: Int64 = 180_000) throws {
        guard box.kernel == nil else { return }
        let isKnown = DirectBoot(handedOutTo: bootFolder) != nil
        guard try folder.isAlive() else {
            guard !isKnown else { return }
            throw PackageError.noKernel(machine: name, reason: nil)
        }
        let session: SSHSession
        do { session = try reach(record) { PackageError.noKernel(machine: name, reason: $0) } } catch {
            guard isKnown, case PackageError.noKernel(_, let reason?) = error else { throw error }
            return report(.note("the kernel that the guest handed out before will do: \(reason)"))
        }
        defer { session.close() }
        report(.step("asking the guest for its kernel, since the box brings none"))
        try FileSystem.removeTree(bootFolder)
        try FileSystem.makeDirectory(bootFolder, permissions: 0o700)
        do {
            try receiveKernel(over: session, silence: silence)
        } catch {
            try? FileSystem.removeTree(bootFolder)
            throw error
        }
    }

    private func receiveKernel(over session: SSHSession, silence: Int64) throws {
        let stream = bootFolder.appending("stream")
        let file = try OwnedDescriptor.open(stream, [.writeOnly, .create], permissions: 0o600)
        let limits = PreparationScript.Exchange.self
        let limit = limits.kernelLimit + limits.initrdLimit
        let label = "reading the guest's kernel"
        var received: UInt64 = 0
        var said: [UInt8] = []
        var failure: (any Error)?
        let outcome = try session.start(ShellScript(Self.handOutScript, as: "root")).attend(
            silence: silence,
            output: { bytes in
                received += UInt64(bytes.count)
                guard received <= limit, failure == nil else { return }
                do { try file.writeAll(Array(bytes)) } catch { failure = error }
                report(.progress(Progress(label, completed: received)))
            }, error: { said += $0.prefix(max(0, 4096 - said.count)) },
            isComplete: { failure != nil || received > limit }
        )
        report(.finished(label: label))
        file.close()
        if let failure { throw failure }
        let beginning = try OwnedDescriptor.open(stream, .readOnly).read(upTo: GuestKernelHeader.limit)
        guard outcome.isSuccess, let header = GuestKernelHeader(beginning),
            received == header.byteCount + header.kernelSize + header.initrdSize
        else {
            let words = GuestText.lines(said).split(separator: "\n").last
            throw PackageError.noKernel(machine: name, reason: words.map(String.init) ?? "it sent none that is whole")
        }
        let kernel = bootFolder.appending(BoxDescription.kernelName)
        let start = Int64(header.byteCount)
        try copy(stream, from: start, count: header.kernelSize, to: kernel)
        try copy(
            stream, from: start + Int64(header.kernelSize), count: header.initrdSize,
            to: bootFolder.appending(BoxDescription.initrdName))
        try FileSystem.remove(stream)
        try DirectBoot.save(header, digest: try digest(of: kernel), in: bootFolder)
    }

    /// Prints a header, then the kernel that runs, then its initial RAM disk.
    private static let handOutScript = #"""
        version=$(uname -r)
        line=$(cat /proc/cmdline)
        image=
        for word in $line; do case $word in BOOT_IMAGE=*) image=${word##*/} ;; esac; done
        kernel= ramdisk=
        for file in "/boot/vmlinuz-$version" "/lib/modules/$version/vmlinuz" ${image:+"/boot/$image"}; do
            if [ -z "$kernel" ] && [ -s "$file" ]; then kernel=$file; fi
        done
        [ -n "$kernel" ] || { echo "its kernel $version is not in its /boot" >&2; exit 3; }
        flavour=${kernel##*/vmlinuz-}
        for file in "/boot/initrd.img-$version" "/boot/initramfs-$version.img" "/boot/initrd-$version" \
            "/boot/initramfs-$flavour.img" "/boot/initramfs-$flavour"; do
            if [ -z "$ramdisk" ] && [ -s "$file" ]; then ramdisk=$file; fi
        done
        [ -n "$ramdisk" ] || { echo "the initial RAM disk of its kernel $version is not in its /boot" >&2; exit 3; }
        echo "$version $(wc -c <"$kernel") $(wc -c <"$ramdisk")"
        printf '%s\n' "$line"
        cat "$kernel" "$ramdisk"
        """#
}
