/// Shell code for guests, which a target keeps in files of its own under `GuestScripts`, checked there, and built in.
public enum BuiltInScript {
    /// - Parameter file: The file's bytes, which the build makes a member of the target's `PackageResources`.
    public static func text(_ file: [UInt8]) -> String { String(decoding: file, as: UTF8.self) }
}
