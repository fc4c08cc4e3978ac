import ArgumentParser
import EnvFile
import JSON
import LinuxSystem
import Reporting
import SystemPackage
import VagrantImport

struct Import: WanderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a Wanderfile of a Vagrantfile.",
        discussion: """
            Reads the Ruby in it, and runs none: loops, conditions, tables, functions and files of settings beside it are \
            understood. Every value in the Wanderfile has the line that it comes from. What is different and what is missing \
            is told; the command ends with 12 if the machines need something that is missing.

            Boxes become releases that somebody maintains: ubuntu/xenial64 is ubuntu/24.04 afterwards. --keep-release \
            keeps their names. Files that the Vagrantfile reads are read in its own folder alone.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The Vagrantfile, or the folder that has it.", completion: .file()) var file = "Vagrantfile"
    @Flag(help: "Write nothing: print what would be taken, changed and left out.") var check = false
    @Flag(name: .customLong("keep-release"), help: "Keep the boxes that the file names.") var keepRelease = false
    @Flag(help: "Overwrite an existing file.") var force = false
    @Option(help: "The file to write, instead of the Wanderfile beside it; '-' prints it.", completion: .file())
    var output: String?

    func execute(_ context: CommandContext) throws {
        try ImportJob(file: file, output: output, replaces: force, writesNothing: check, keepsRelease: keepRelease)
            .run(context)
    }
}

/// What `wander import` and `wander init --from` do.
struct ImportJob {
    let file: String
    let output: String?
    let replaces: Bool
    var writesNothing = false
    var keepsRelease = false

    func run(_ context: CommandContext) throws {
        var source = FileSystem.currentDirectory.pushing(FilePath(file)).lexicallyNormalized()
        if (try? FileSystem.isDirectory(source)) == true { source.append("Vagrantfile") }
        let result = try VagrantImport(reading: source, keepsRelease: keepsRelease)
        guard !result.machines.isEmpty else { throw VagrantImportError.nothing(source, result.remarks(.dropped)) }
        let beside = source.removingLastComponent().appending("Wanderfile")
        let named = output.flatMap { $0 == "-" ? nil : FileSystem.currentDirectory.pushing(FilePath($0)) }
        let path = (named ?? beside).lexicallyNormalized()
        if output != "-" || writesNothing { try check(result.text, at: path) }
        let written = !writesNothing && output != "-"
        if written { try NewWanderfile.write(NewWanderfile.modeline + result.text, to: path, replacing: replaces) }
        var members = result.document.objectValue ?? []
        members.insert(JSONMember("source", .string(source.string)), at: 0)
        members.insert(JSONMember("file", written ? .string(path.string) : .null), at: 1)
        if output == "-", !writesNothing {
            context.output(result.text, json: .object(members))
            tell(result, context)
        } else {
            context.output(report(result, path), json: .object(members))
        }
        if result.isIncomplete { throw ExitCode(ErrorKind.incomplete.exitStatus) }
    }

    /// Reads what was made as any other Wanderfile is read.
    private func check(_ text: String, at path: FilePath) throws {
        var options = EnvironmentLoader.Options(workingDirectory: path.removingLastComponent())
        options.file = path
        options.content = Array(text.utf8)
        options.variables = EnvironmentLoader.Options.current().variables
        do throws(EnvFileError) { _ = try EnvironmentLoader(options).load() } catch {
            throw VagrantImportError.invalid(detail: error.detail ?? error.summary)
        }
    }

    // MARK: - Words

    private func report(_ result: VagrantImport, _ path: FilePath) -> String {
        let count = counted(result.machines.count, "machine")
        let names = result.machines.prefix(8).joined(separator: ", ") + (result.machines.count > 8 ? ", ..." : "")
        var lines = [
            "\(writesNothing ? "\(file) gives" : "Wrote \(output ?? (file == "Vagrantfile" ? "Wanderfile" : path.string)):") \(count), \(names)"
        ]
        if writesNothing { lines += table("Taken", result.remarks(.taken)) }
        lines += table("Different", result.remarks(.changed))
        let dropped = result.remarks(.dropped)
        lines += table("Missing", dropped.filter(\.isImportant))
        let others = dropped.filter { !$0.isImportant }
        if writesNothing {
            lines += table("Left out", others)
        } else {
            if !others.isEmpty {
                lines.append(
                    "\(counted(others.count, "other setting")) left out, which the machines do not need; 'wander import --check' lists them"
                )
            }
            lines.append("Next: 'wander up' makes the machines and starts them.")
        }
        return lines.joined(separator: "\n")
    }

    private func table(_ title: String, _ remarks: [ImportRemark]) -> [String] {
        guard !remarks.isEmpty else { return [] }
        var table = TextTable()
        for remark in remarks {
            let place = remark.line > 0 ? "\(file):\(remark.line)" : file
            table.add(["  \(place)", "\(remark.subject): \(remark.text)"])
        }
        return ["\(title):", table.rendered]
    }

    /// The same for people, beside a file that goes to standard output.
    private func tell(_ result: VagrantImport, _ context: CommandContext) {
        for remark in result.remarks where remark.kind != .taken && (remark.isImportant || remark.kind == .changed) {
            let place = remark.line > 0 ? "\(file):\(remark.line)" : file
            context.console.report(
                remark.isImportant
                    ? .warning("\(place): \(remark.subject): \(remark.text)")
                    : .note("\(place): \(remark.subject): \(remark.text)"))
        }
    }
}
