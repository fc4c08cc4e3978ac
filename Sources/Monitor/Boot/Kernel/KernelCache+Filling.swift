public import LinuxSystem
public import SystemPackage

extension KernelCache {
    /// Puts the unpacked kernel into the cache unless it is there. Unpacking reads what a stranger has packed, and all
    /// machines of the user boot from the cache. So the unpacker may write only to a folder of its own, and its result
    /// is used for this kernel and no other.
    /// - Parameter isolated: Runs `work` where only `kernel` can be read, and only `folder` written to; returns whether
    ///   it ended with true.
    public func fill(
        for kernel: FilePath,
        isolated: (_ kernel: FilePath, _ folder: FilePath, _ work: () -> Bool) throws(SystemError) -> Bool
    ) {
        guard let file = try? OwnedDescriptor.open(kernel, .readOnly), let identity = try? FileRevision(file) else {
            return
        }
        if open(identity) != nil { return }
        let staging = folder.appending("\(identity).\(randomIdentifier(bytes: 4)).tmp")
        do throws(SystemError) {
            try FileSystem.makeDirectory(folder, permissions: 0o700)
            try FileSystem.makeDirectory(staging, permissions: 0o700)
            let inner = KernelCache(folder: staging)
            let unpacked = try isolated(kernel, staging) { (try? Kernel.open(kernel, cache: inner)) != nil }
            let result = inner.path(for: identity)
            // A link would name a file of somebody else's choice.
            if unpacked, try FileSystem.status(result, followLinks: false)?.kind == .regular {
                try FileSystem.rename(result, to: path(for: identity))
            }
        } catch {}
        try? FileSystem.removeTree(staging)
        removeOldest()
    }
}
