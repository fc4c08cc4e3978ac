# shellcheck shell=bash
# From a tar archive to an ext4 file system, without root and the same every time. Sourced by boxes/build.
#
# mke2fs -d takes access and change times and the order of directories from the machine that it runs on, and owners
# from the files, which only root may set. debugfs takes one command per file and leaves nothing to chance.

export MKE2FS_CONFIG=$library/mke2fs.conf
PATH=$PATH:/usr/sbin:/sbin

# make_ext4 TAR IMAGE MIB DATE UUID [OFFSET]: IMAGE exists already if an OFFSET in bytes is given.
make_ext4() {
    local tar=$1 image=$2 mebibytes=$3 date=$4 uuid=$5 offset=${6:-0} tree target
    tree=$(mktemp -d "$work/tree.XXXXXX")
    target=$image
    if [ "$offset" -gt 0 ]; then target="$image?offset=$offset"; else truncate -s "${mebibytes}M" "$image"; fi
    E2FSPROGS_FAKE_TIME=$date SOURCE_DATE_EPOCH=$date mke2fs -q -F -t ext4 -b 4096 -I 256 -U "$uuid" -L root -m 1 \
        -J size=64 -i 16384 \
        -O has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize,sparse_super,large_file \
        -O resize_inode,dir_index,filetype,ext_attr \
        -E "offset=$offset,hash_seed=$uuid,root_owner=0:0,lazy_itable_init=1,assume_storage_prezeroed=1" \
        "$image" "${mebibytes}M"
    tar -x -C "$tree" --no-same-owner --exclude='./dev/*' -f "$tar"
    chmod -R u+rwX "$tree"
    tar -tv --numeric-owner --full-time --utc --quoting-style=literal -f "$tar" |
        LC_ALL=C awk -v tree="$tree" -v date="$date" -f "$library/debugfs.awk" >"$work/debugfs.commands"
    mkdir -p "$work/attributes"
    perl "$library/attributes.pl" "$work/attributes" <"$tar" >>"$work/debugfs.commands" ||
        die "the attributes of files cannot be read from $tar"
    E2FSPROGS_FAKE_TIME=$date debugfs -w -f "$work/debugfs.commands" "$target" >"$work/debugfs.log" 2>&1 ||
        die "debugfs failed: $(tail -n 3 "$work/debugfs.log")"
    # debugfs reports a failed command on standard error and goes on; what it echoes starts with its prompt.
    local failures
    failures=$(grep -v -e '^debugfs: ' -e '^debugfs 1\.' -e '^Allocated inode: ' "$work/debugfs.log" | head -n 5 || :)
    [ -z "$failures" ] || die "the file system could not be filled: $failures"
    e2fsck -fn "$target" >"$work/e2fsck.log" 2>&1 ||
        die "the file system is not clean: $(cat "$work/e2fsck.log")"
    rm -rf "$tree"
}

# make_qcow2 RAW QCOW2
make_qcow2() {
    qemu-img convert -m 1 -f raw -O qcow2 -o compat=1.1,lazy_refcounts=off "$1" "$2"
}
