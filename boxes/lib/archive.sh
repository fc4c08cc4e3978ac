# shellcheck shell=bash
# The box archive: metadata.json first, then the disk, the kernel and the initial RAM disk. Sourced by boxes/build.

# write_metadata DIRECTORY NAME VERSION GIB COMMAND-LINE RELEASE PACKAGES [BOOT-LOADER]: digests cover the other files.
write_metadata() {
    local directory=$1 name=$2 version=$3 gibibytes=$4 command_line=$5 release=$6 packages=$7 loader=${8-}
    jq -n --arg name "$name" --arg version "$version" --argjson size "$gibibytes" --arg command "$command_line" \
        --arg release "$release" --arg loader "$loader" --arg disk "$(digest "$directory/box.img")" \
        --arg kernel "$(digest "$directory/vmlinuz")" --arg initrd "$(digest "$directory/initrd.img")" \
        --rawfile packages "$packages" '{
            provider: "libvirt", format: "qcow2", virtual_size: $size, architecture: "amd64",
            wander: {
                schema: 1, name: $name, version: $version, architecture: "amd64",
                kernel: "vmlinuz", initrd: "initrd.img", command_line: $command, user: "vagrant",
                digests: { "box.img": $disk, "vmlinuz": $kernel, "initrd.img": $initrd },
                provenance: {
                    distribution: "Debian", release: $release, boot_loader: $loader,
                    packages: ($packages | split("\n") | map(select(. != "") | split(" ")
                        | { name: .[0], version: .[1], architecture: .[2] }))
                }
            }
        }' >"$directory/metadata.json"
}

# pack_box DIRECTORY OUTPUT: the box appears whole or not at all.
pack_box() {
    local directory=$1 output=$2
    say "packing $output"
    tar -c --format=ustar --owner=0 --group=0 --numeric-owner --mode=0644 --mtime="@$date" -C "$directory" \
        metadata.json box.img vmlinuz initrd.img | zstd -q -T1 "-${compression:-15}" -o "$output.partial" -f
    sync "$output.partial"
    mv "$output.partial" "$output"
    say "$(basename "$output"): $(($(stat -c %s "$output") / 1024)) KiB, $(digest "$output")"
}

# pack_image IMAGE OUTPUT: as distributions publish a disk, without an archive around it. The form follows from OUTPUT.
pack_image() {
    local image=$1 output=$2
    say "packing $output"
    case $output in
    *.xz) xz -T1 -1 <"$image" >"$output.partial" ;;
    *.raw | *.img) cp --sparse=always "$image" "$output.partial" ;;
    *) make_qcow2 "$image" "$output.partial" ;;
    esac
    sync "$output.partial"
    mv "$output.partial" "$output"
    say "$(basename "$output"): $(($(stat -c %s "$output") / 1024)) KiB, $(digest "$output")"
}
