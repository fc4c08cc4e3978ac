# shellcheck shell=sh
# The beginning of the scripts that unpack an archive: says whether this guest's tar(1) unpacks files of which holes
# are left out.
tar_kind() { case $(tar --version 2>/dev/null) in *'GNU tar'* | *bsdtar*) echo sparse ;; *) echo whole ;; esac; }
