import LinuxSystem

/// What clearing does with its next bytes.
private enum ZeroStep {
    /// They are zero already, or may stay as they are.
    case nothing(count: UInt64)
    /// Clear them where they are.
    case inPlace(host: UInt64, count: UInt64)
    /// Say in the table that whole clusters are zero.
    case flag(ClusterRun)
    /// Part of a cluster that lies elsewhere: write zeroes, which copies the rest.
    case write(count: UInt64)
}

extension QcowImage {
    func discard(at offset: UInt64, count: UInt64) throws(DiskImageError) {
        try clear(at: offset, count: count, mayUnmap: true, mustBeZero: false)
    }

    func writeZeroes(at offset: UInt64, count: UInt64, mayUnmap: Bool) throws(DiskImageError) {
        try clear(at: offset, count: count, mayUnmap: mayUnmap, mustBeZero: true)
    }

    private func clear(at offset: UInt64, count total: UInt64, mayUnmap: Bool, mustBeZero: Bool) throws(DiskImageError)
    {
        try begin(at: offset, count: total, writing: true)
        var done: UInt64 = 0
        while done < total {
            let position = offset + done
            switch try planZero(at: position, limit: total - done, mustBeZero: mustBeZero) {
            case .nothing(let count): done += count
            case .inPlace(let host, let count):
                // A table entry stays: its cluster now is a hole in the file, which reads as zeroes.
                try file.zero(at: host, count: count, mayUnmap: mayUnmap)
                done += count
            case .flag(let run):
                do {
                    try publish(run) { _ in ClusterEntry.zeroFlag }
                } catch {
                    abandon(run)
                    throw error
                }
                done += min(total - done, run.count << UInt64(geometry.clusterBits))
            case .write(let count):
                let segment = try ZeroBuffer.segment(Int(min(count, UInt64(ZeroBuffer.byteCount))))
                try unsafe write(from: UnsafeRawBufferPointer(start: segment.base, count: segment.count), at: position)
                done += UInt64(segment.count)
            }
        }
    }

    private func planZero(at position: UInt64, limit: UInt64, mustBeZero: Bool) throws(DiskImageError) -> ZeroStep {
        let bits = UInt64(geometry.clusterBits)
        let within = position & (geometry.clusterSize - 1)
        lock.lock()
        defer { lock.unlock() }
        while true {
            var mapping = try mapping(at: position, limit: limit)
            switch mapping.kind {
            case .zero: return .nothing(count: mapping.count)
            case .data: return .inPlace(host: mapping.host, count: mapping.count)
            case .unallocated:
                // Where nothing is behind the image, there is nothing to do. `UInt64.max`: no images behind at all.
                let backingEnd = backing?.virtualSize ?? 0
                if position >= backingEnd { return .nothing(count: mapping.count) }
                let isZero = try (backing as? QcowImage)?.isKnownZero(
                    at: position, count: min(mapping.count, backingEnd - position))
                if isZero == true { return .nothing(count: mapping.count) }
            case .sharedData, .compressed: break
            }
            // The disk's last cluster counts as whole up to the disk's end.
            let reachesEnd = position + mapping.count == diskSize
            if within == 0, mapping.count >= geometry.clusterSize || reachesEnd {
                if !reachesEnd { mapping.count = geometry.roundDown(mapping.count) }
                let wanted = ClusterRun(first: position >> bits, count: geometry.clusterCount(mapping.count))
                guard let run = claim(wanted) else {
                    lock.wait()
                    continue
                }
                return .flag(run)
            }
            let part = min(mapping.count, geometry.clusterSize - within)
            return mustBeZero ? .write(count: part) : .nothing(count: part)
        }
    }
}
