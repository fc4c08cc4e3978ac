import ArgumentParser
import JSON

struct Completion: WanderCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    static let configuration = CommandConfiguration(
        abstract: "Print a completion script for a shell.",
        discussion: """
            bash:  wander completion bash > ~/.local/share/bash-completion/completions/wander
            zsh:   wander completion zsh > a folder of $fpath, as _wander
            fish:  wander completion fish > ~/.config/fish/completions/wander.fish
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func execute(_ context: CommandContext) throws {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        let script = CompletionScript.text(for: kind)
        context.output(script, json: ["shell": .string(shell.rawValue), "script": .string(script)])
    }
}
