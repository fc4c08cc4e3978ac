/// Shell code for guests, which is kept in files of its own under `GuestScripts`, checked there, and built in.
enum BuiltInScript {
    static func text(_ file: [UInt8]) -> String { String(decoding: file, as: UTF8.self) }
}
