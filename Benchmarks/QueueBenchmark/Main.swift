/// Measures the queue beside a peer that does the same work in the same run; only the ratio means something.
@main
struct Main {
    static func main() throws {
        let results = try QueueBenchmark.run()
        for result in results { print(result.report) }
        if let peer = results.first(where: { $0.name == "queue in C" }),
            let queue = results.first(where: { $0.name == "VirtQueue" })
        {
            let ratio = Int((queue.median / peer.median * 100).rounded())
            print("VirtQueue takes \(ratio) % of the time of the queue in C")
        }
    }
}
