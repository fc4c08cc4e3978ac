/// What a publisher has under a name today.
struct ImageOffer: Hashable {
    var found: ImageCatalogues.Found
    /// What the publisher says that the image is.
    var checksum: ExpectedChecksum
    var version: BoxVersion
    var image: CatalogueImage { found.image }
}
