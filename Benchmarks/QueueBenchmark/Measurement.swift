import CAllocationCount
import LinuxSystem

/// How long one operation takes, over many samples.
struct Measurement {
    let name: String
    /// Per operation, one value a sample, sorted.
    let nanoseconds: [Double]
    /// Per operation, over all samples.
    let allocations: Double

    var median: Double { nanoseconds[nanoseconds.count / 2] }

    /// Measures `body`, which performs `operations` of them, again and again; `prepare` runs before each sample,
    /// untimed.
    static func take(
        _ name: String, samples: Int = 200, operations: Int, prepare: () throws -> Void, body: () throws -> Void
    ) rethrows -> Measurement {
        var times: [Double] = []
        times.reserveCapacity(samples)
        var allocations: UInt = 0
        for sample in 0..<samples + 20 {
            try prepare()
            let before = allocation_count()
            let start = MonotonicClock.now.nanoseconds
            try body()
            let end = MonotonicClock.now.nanoseconds
            let after = allocation_count()
            // The first samples fill caches and set things up.
            guard sample >= 20 else { continue }
            times.append(Double(end - start) / Double(operations))
            allocations += after - before
        }
        return Measurement(
            name: name, nanoseconds: times.sorted(), allocations: Double(allocations) / Double(samples * operations))
    }

    var report: String {
        let low = nanoseconds[nanoseconds.count / 10]
        let high = nanoseconds[nanoseconds.count * 9 / 10]
        return "\(name): median \(rounded(median)) ns (10 % \(rounded(low)), 90 % \(rounded(high))), "
            + "\(rounded(allocations)) allocations"
    }

    private func rounded(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        let fraction = scaled % 100
        return "\(scaled / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
