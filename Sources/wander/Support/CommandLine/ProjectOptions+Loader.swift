import EnvFile

extension ProjectOptions {
    /// The loader of the environment that the options mean.
    func loader() -> EnvironmentLoader {
        EnvironmentLoader(.current(file: file, overrides: overrides, version: ProgramVersion(Version.current)))
    }
}
