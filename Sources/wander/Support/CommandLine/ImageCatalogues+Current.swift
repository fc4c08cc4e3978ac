import BoxFormat
import EnvFile
import SystemPackage

extension ImageCatalogues {
    /// The catalogues that count in the folder of this process.
    static func current() -> ImageCatalogues {
        let file = try? EnvironmentLoader(.current()).discover()
        return .configured(project: file?.removingLastComponent())
    }
}
