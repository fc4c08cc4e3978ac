public import LinuxSystem
import SystemPackage

extension GuestPort {
    /// Carries bytes between a connection to a guest and two descriptors, until the guest has closed its side. The end
    /// of the input closes the other side, as ssh(1) expects of a ProxyCommand.
    public static func bridge(_ connection: consuming OwnedDescriptor, input: CInt, output: CInt) throws {
        let writer = try connection.duplicate()
        let copier = try Thread(name: "input") {
            let input = OwnedDescriptor(owning: input)
            _ = copy(from: input, to: writer)
            writer.endOutput()
            _ = input.release()
        }
        let output = OwnedDescriptor(owning: output)
        let failure = copy(from: connection, to: output)
        _ = output.release()
        // The input may never end: the process does, and its thread with it.
        _ = consume copier
        // A reader that went away has what it wanted.
        if let failure, failure.errno != .brokenPipe { throw failure }
    }

    /// - Returns: Why bytes that came were not written.
    private static func copy(
        from source: borrowing OwnedDescriptor, to target: borrowing OwnedDescriptor
    ) -> SystemError? {
        while let bytes = try? source.read(upTo: 1 << 16), !bytes.isEmpty {
            do throws(SystemError) { try target.writeAll(bytes) } catch { return error }
        }
        return nil
    }
}
