import ArgumentParser
import Glibc
import JSON
import LinuxSystem
import Reporting

/// The entry point. It is synchronous: wander does not use Swift's cooperative threads, which would cost every command
/// several milliseconds and megabytes before its first line.
@main
enum Main {
    static func main() {
        InheritedState.makeSane()
        HomeFolder.completeEnvironment()
        var status = run(Array(CommandLine.arguments.dropFirst()))
        if let failure = StandardOutput.finish() {
            Console(Console.Style(color: .auto)).report(failure)
            if status == 0 { status = failure.kind.exitStatus }
        }
        exit(status)
    }

    /// Runs one command line.
    /// - Returns: The exit status.
    static func run(_ arguments: [String]) -> Int32 {
        let arguments = CommandLineRewriter.rewrite(arguments)
        if let status = HelpTopics.answer(arguments) { return status }
        if let mistake = UnknownVerb.find(in: arguments) { return refuse(mistake, arguments) }
        do {
            var command = try Wander.parseAsRoot(arguments)
            try command.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            // What remains is ArgumentParser's own: help, which is a result, and usage errors, which are talk.
            HelpPage.limitParserWidth()
            let text = Wander.fullMessage(for: error)
            guard !Wander.exitCode(for: error).isSuccess else {
                StandardOutput.write(help(text, arguments) + "\n")
                return 0
            }
            return refuse(UsageMistake(text, arguments), arguments)
        }
    }

    /// A verb's help is wander's own page; the rest (the list of verbs, versions, completions) is the parser's.
    private static func help(_ text: String, _ arguments: [String]) -> String {
        guard text.contains("USAGE: wander "), let first = arguments.first, !first.hasPrefix("-"),
            let root = try? CommandDescription.wander()
        else { return text }
        let command = root.find(arguments.map { $0[...] })
        return command.path == root.path ? text : HelpPage(command: command).text
    }

    /// Says what is wrong with the command line: to people, and with `--json` to programs as well.
    static func refuse(_ mistake: any UserFacingError, _ arguments: [String]) -> Int32 {
        Console(Console.Style(color: .auto)).report(mistake)
        if arguments.prefix(while: { $0 != "--" }).contains("--json") {
            StandardOutput.write(Console.errorDocument(mistake).pretty)
        }
        return mistake.kind.exitStatus
    }
}
