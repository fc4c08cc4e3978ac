import Reporting
import SSH

/// This process's outputs as a guest's command has them.
enum CommandStreams {
    /// - Parameter run: Runs the command with what takes its output and what takes its error.
    /// - Returns: Its status. Where nobody takes what it prints, that ended it; whether it is an error is told when
    ///   wander ends.
    static func relay(
        _ run: (
            _ output: (ArraySlice<UInt8>) throws(SSHError) -> Void,
            _ error: (ArraySlice<UInt8>) throws(SSHError) -> Void
        ) throws(SSHError) -> SSHOutcome
    ) throws -> Int32 {
        do {
            return try run(
                { bytes throws(SSHError) in
                    StandardOutput.write(Array(bytes))
                    if StandardOutput.isOver { throw .interrupted }
                }, { bytes throws(SSHError) in writeTalk(Array(bytes)) }
            ).shellStatus
        } catch {
            guard StandardOutput.isOver else { throw error }
            return 0
        }
    }
}
