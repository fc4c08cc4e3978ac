import ArgumentParser
import Glibc
import Reporting

/// The entry point. Synchronous: nothing in wander uses Swift's cooperative threads, which would cost every command
/// several milliseconds and megabytes before its first line.
@main
enum Main {
    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs one command line.
    /// - Returns: The exit status.
    static func run(_ arguments: [String]) -> Int32 {
        let arguments = CommandLineRewriter.rewrite(arguments)
        if let status = HelpTopics.answer(arguments) { return status }
        if let mistake = UnknownVerb.find(in: arguments) {
            Console(Console.Style(color: .auto)).report(mistake)
            return mistake.kind.exitStatus
        }
        do {
            var command = try Wander.parseAsRoot(arguments)
            try command.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            // What remains is ArgumentParser's own: help, which is a result, and usage errors, which are talk.
            let status = Wander.exitCode(for: error)
            let text = Wander.fullMessage(for: error)
            if !text.isEmpty { write(text + "\n", to: status.isSuccess ? STDOUT_FILENO : STDERR_FILENO) }
            return status.rawValue
        }
    }
}

/// Writes text to a descriptor of the process. A closed pipe is the reader's choice, not an error.
func write(_ text: String, to descriptor: CInt) { write(Array(text.utf8), to: descriptor) }

func write(_ bytes: [UInt8], to descriptor: CInt) {
    var bytes = bytes[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}
