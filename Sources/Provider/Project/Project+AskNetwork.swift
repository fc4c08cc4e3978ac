import LinuxSystem
public import NetworkControl

extension Project {
    /// Asks the environment's network, and first starts it again if it has ended under running machines. A network that
    /// is just ending still holds its lock and may lose a question: then the next one is asked.
    /// - Returns: nil if no network runs.
    public func askNetwork<Answer>(_ question: (inout NetworkClient) throws -> Answer) throws -> Answer? {
        let patience = Patience(
            until: MonotonicClock.now.advanced(byMilliseconds: 10_000), first: .milliseconds(20), growing: 1.5,
            most: .milliseconds(250),
            cancellation: cancellation)
        return try patience.wait(for: "the environment's network") { () -> Patience.Answer<Answer?> in
            reviveNetwork()
            guard try NetworkProcess.isRunning(folder: layout.network) else { return .here(nil) }
            do {
                var client = try NetworkClient.connect(folder: layout.network)
                return .here(try question(&client))
            } catch  where NetworkProcess.isGone(error) {
                return .notYet(because: "\(error)")
            }
        }
    }
}
