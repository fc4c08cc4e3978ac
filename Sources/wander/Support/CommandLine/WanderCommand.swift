import ArgumentParser
import Glibc
import JSON
import LinuxSystem
import Reporting
import Synchronization

/// A command of wander: it gets a context, and what it throws becomes a message and an exit status.
protocol WanderCommand: ParsableCommand {
    var options: GlobalOptions { get }
    /// Whether the first signal ends the command without a word: it changes nothing, and works for another program.
    static var endsSilently: Bool { get }
    /// Does the work. Results go through ``CommandContext/output(_:json:)``, talk through the console.
    func execute(_ context: CommandContext) throws
}

extension WanderCommand {
    static var endsSilently: Bool { false }

    mutating func run() throws {
        let context = try CommandContext(options, endsSilently: Self.endsSilently)
        do {
            try execute(context)
            context.finish()
        } catch let code as ExitCode {
            context.finish()
            throw code
        } catch let error as ValidationError {
            // What only the command itself can see of its arguments: reported as the parser's own mistakes are.
            context.console.finish()
            throw error
        } catch {
            context.console.finish()
            context.console.report(error, debug: options.debug)
            context.finish(error)
            throw ExitCode((error as? any UserFacingError)?.kind.exitStatus ?? ErrorKind.failure.exitStatus)
        }
    }
}

/// What a running command works with.
final class CommandContext: Sendable {
    let console: Console
    let cancellation: Cancellation
    /// Whether the result is to be JSON.
    let json: Bool
    let assumeYes: Bool
    let mayAsk: Bool
    /// What is printed at the end: one document, whatever happens.
    private let document = Mutex<JSONValue?>(nil)

    init(_ options: GlobalOptions, endsSilently: Bool = false) throws(SystemError) {
        let style = Console.Style(
            color: options.color, progress: options.progress, quiet: options.quiet,
            verbose: options.verbose || options.debug)
        let console = Console(style)
        self.console = console
        json = options.json
        assumeYes = options.yes
        mayAsk = !options.noInput && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        let cancellation = try Cancellation(lettingEnd: true)
        self.cancellation = cancellation
        try Signals.request(cancellation) {
            if endsSilently { _exit(130) }
            console.interrupted(
                lettingEnd: cancellation.letsEnd, isCutOff: cancellation.insistence?.isRequested == true)
        }
    }

    /// Gives the command's result: the text for people at once, or the JSON document, which gets `"schema": 1` in front
    /// and is printed when the command ends, with the error that it may still end with.
    func output(_ text: @autoclosure () -> String, json document: @autoclosure () -> JSONValue) {
        console.finish()
        guard json else {
            let text = text()
            if !text.isEmpty { StandardOutput.write(text.hasSuffix("\n") ? text : text + "\n") }
            return
        }
        let result = Self.withSchema(document())
        self.document.withLock { $0 = result }
    }

    /// Ends the command's talk, and prints the document if there is to be one.
    func finish(_ error: (any Error)? = nil) {
        console.finish()
        guard json else { return }
        let result = document.withLock { $0 }
        guard let error else {
            if let result { StandardOutput.write(result.pretty) }
            return
        }
        // What was done before it failed is worth telling, too.
        let failure = Console.errorDocument(error)
        guard let members = result?.objectValue else { return StandardOutput.write(failure.pretty) }
        StandardOutput.write(JSONValue.object(members + [JSONMember("error", failure["error"] ?? .null)]).pretty)
    }

    /// Prints a result that only people need; with `--json`, nothing.
    func print(_ text: @autoclosure () -> String) {
        guard !json else { return }
        output(text(), json: .null)
    }

    static func withSchema(_ document: JSONValue) -> JSONValue {
        .object([JSONMember("schema", 1)] + (document.objectValue ?? [JSONMember("result", document)]))
    }

    /// Asks a question that is answered by yes or no.
    /// - Throws: ``CannotAsk`` when nobody can answer.
    func confirm(_ question: String) throws -> Bool {
        if assumeYes { return true }
        guard mayAsk else { throw CannotAsk(question: question) }
        while true {
            console.finish()
            writeTalk("\(question) [y/N] ")
            let answer = try readAnswer().lowercased()
            switch answer {
            case "y", "yes": return true
            case "", "n", "no": return false
            default: continue
            }
        }
    }

    /// A line of standard input; observes Ctrl-C. The end of the input is an empty answer.
    private func readAnswer() throws -> String {
        var line: [UInt8] = []
        while line.count < 1024 {
            guard try waitUntilReady(STDIN_FILENO, for: .readable, milliseconds: -1, cancellation: cancellation) else {
                throw Interruption()
            }
            var byte: UInt8 = 0
            guard Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != 0x0a else { break }
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }
}

/// A question came up and there is nobody to answer it.
struct CannotAsk: UserFacingError, Equatable {
    let question: String
    var summary: String { "this needs an answer: \(question)" }
    var remedy: String? { "Run it in a terminal, or say yes beforehand with --yes." }
    var kind: ErrorKind { .refused }
}
