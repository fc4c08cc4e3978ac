import BoxFormat
public import DiskImage
import SystemPackage

extension Machine {
    /// The machine's disk: its own layer, then its box's. Known from the machine's record, whatever the images say.
    public func diskLayers() throws -> [DiskLayer] {
        let backing = try box(of: existingRecord()).disk
        return [
            DiskLayer(path: folder.disk, format: .qcow2),
            DiskLayer(path: backing.path, format: backing.format == .raw ? .raw : .qcow2),
        ]
    }
}
